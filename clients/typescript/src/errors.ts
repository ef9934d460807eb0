/**
 * The errors of this package, in one tree.
 *
 * ScanrillError
 * ├── RequestError         The server rejected the request and changed nothing. `fields` has a message per field.
 * ├── Unauthenticated      The session is over; the user must sign in again.
 * ├── ServerUnreachable    The server did not respond, and nothing was changed. A later retry may succeed.
 * ├── ReadingFailed        The reading of an upload ended without a text, or was cancelled.
 * └── ConnectionLost       There was no reply from the server. The change may or may not have been applied.
 */

/** A message for each invalid field; `detail` is about the whole request. */
export type FieldErrors = Readonly<Record<string, string>>;

/** What programs need to know of an error. */
export interface ErrorKind {
  readonly code?: string;
  readonly retryable?: boolean;
}

export class ScanrillError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class RequestError extends ScanrillError {
  readonly fields: FieldErrors;
  /** HTTP status of the response; undefined for a request over the socket. */
  readonly status: number | undefined;
  /** Kind of the error, such as `file_too_large`; "" for a request over the socket. */
  readonly code: string;
  /** Whether the same request can succeed later; false for a request over the socket. */
  readonly retryable: boolean;

  constructor(fields: FieldErrors, status?: number, { code = "", retryable = false }: ErrorKind = {}) {
    super(Object.values(fields).join(" "));
    this.fields = fields;
    this.status = status;
    this.code = code;
    this.retryable = retryable;
  }
}

export class ReadingFailed extends ScanrillError {
  readonly uploadId: string;

  constructor(uploadId: string, message: string) {
    super(message);
    this.uploadId = uploadId;
  }
}

export class Unauthenticated extends ScanrillError {}

export class ServerUnreachable extends ScanrillError {}

export const OUTCOME_UNKNOWN_MESSAGE =
  "The connection was lost before the reply arrived. The change may or may not have been applied.";

export class ConnectionLost extends ScanrillError {}
