/** HTTP requests that fail with the errors of this package. */

import { RequestError, ServerUnreachable, type FieldErrors } from "./errors.ts";

const UNREACHABLE_MESSAGE = "The server is not responding. Check that it is running.";

/**
 * Send one HTTP request and return its successful response.
 *
 * Throws `ServerUnreachable`, or `RequestError` for a status that is not 2xx. Rethrows the abort of `init.signal`.
 */
export async function sendRequest(base: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ServerUnreachable(UNREACHABLE_MESSAGE, { cause: error });
  }
  if (response.ok) return response;
  throw errorFromResponse(response.status, await response.text());
}

/**
 * Return the error for a failed response.
 *
 * A reverse proxy whose server is down responds with 502 or higher and its own body: `ServerUnreachable`.
 * Status 0 means that there was no response.
 */
export function errorFromResponse(status: number, body: string): RequestError | ServerUnreachable {
  const fields = parseFieldErrors(body);
  if (fields !== null) return new RequestError(fields, status);
  if (status >= 502 || status === 0) return new ServerUnreachable(UNREACHABLE_MESSAGE);
  return new RequestError({ detail: `The server returned HTTP status ${status}.` }, status);
}

/** Return the field errors of a response body, or null where the body is not an error of scanrill. */
function parseFieldErrors(body: string): FieldErrors | null {
  try {
    const parsed = JSON.parse(body) as { error?: FieldErrors; detail?: string };
    if (typeof parsed.error === "object") return parsed.error;
    return typeof parsed.detail === "string" ? { detail: parsed.detail } : null;
  } catch {
    return null;
  }
}
