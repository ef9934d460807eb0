/**
 * Everything that can go wrong, in one tree.
 *
 * ScanrillError
 * ├── RequestRefused     the server says what is wrong, field by field; nothing was changed
 * ├── Unauthenticated    nobody is signed in any more: a new sign-in is needed
 * ├── Unreachable        no answer from the server; the same request may go through later
 * └── ConnectionLost     the socket closed before the reply: the change may or may not have happened
 */

export type FieldErrors = Readonly<Record<string, string>>;

export class ScanrillError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class RequestError extends ScanrillError {
  readonly fields: FieldErrors;
  /** HTTP status, where the request was one. */
  readonly status: number | undefined;

  constructor(fields: FieldErrors, status?: number) {
    super(Object.values(fields).join(" "));
    this.fields = fields;
    this.status = status;
  }
}

export class Unauthenticated extends ScanrillError {}

export class ServerUnreachable extends ScanrillError {}

export class ConnectionLost extends ScanrillError {}
