/** HTTP requests that fail with the errors of this package. */

import { ConnectionLost, OUTCOME_UNKNOWN_MESSAGE, RequestError, ServerUnreachable, type ErrorKind, type FieldErrors } from "./errors.ts";

const UNREACHABLE_MESSAGE = "The server is not responding. Check that it is running.";

/** The body of an error. */
interface Problem extends ErrorKind {
  readonly detail?: unknown;
  readonly errors?: FieldErrors;
}

/** Whether a request can be repeated safely. It decides the error if there is no response from the server. */
export interface Repeatable {
  readonly isRepeatable: boolean;
}

/** Return the URL of a path of the server. `base` may have the path below which a reverse proxy serves it. */
export function serverUrl(base: string, path: string): URL {
  return new URL(base.replace(/\/+$/, "") + path);
}

/**
 * Send one HTTP request and return its successful response.
 *
 * By default, only `GET` is repeatable. Throws `RequestError` for a status that is not 2xx, and for a thing that is not
 * ready (202). Without a response from the server it throws `ServerUnreachable`, or `ConnectionLost` if the request is
 * not repeatable. Rethrows the abort of `init.signal`.
 */
export async function sendRequest(
  base: string,
  path: string,
  init: RequestInit = {},
  { isRepeatable }: Repeatable = { isRepeatable: (init.method ?? "GET") === "GET" },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(serverUrl(base, path), { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw noResponse({ isRepeatable }, { cause: error });
  }
  // Status 202 with a problem: something is not ready.
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json") === true;
  if (response.ok && !isProblem) return response;
  throw errorFromResponse(response.status, await response.text(), { isRepeatable });
}

/**
 * Return the error for a failed response.
 *
 * A reverse proxy whose server does not respond sends 502 or higher and its own body. It may have forwarded the request
 * before. Status 0 means that there was no response; a browser does not reveal whether it sent the request.
 */
export function errorFromResponse(
  status: number,
  body: string,
  repeatable: Repeatable,
): RequestError | ServerUnreachable | ConnectionLost {
  const problem = parseProblem(body);
  if (problem !== null) return new RequestError(problem.fields, status, problem);
  if (status >= 502 || status === 0) return noResponse(repeatable);
  return new RequestError({ detail: `The server returned HTTP status ${status}.` }, status);
}

function noResponse({ isRepeatable }: Repeatable, options?: ErrorOptions): ServerUnreachable | ConnectionLost {
  return isRepeatable
    ? new ServerUnreachable(UNREACHABLE_MESSAGE, options)
    : new ConnectionLost(OUTCOME_UNKNOWN_MESSAGE, options);
}

/** Return the error in a response body (RFC 9457), or null where the body is not one. */
function parseProblem(body: string): (ErrorKind & { readonly fields: FieldErrors }) | null {
  try {
    const { detail, errors, code, retryable } = JSON.parse(body) as Problem;
    if (typeof detail !== "string" || typeof code !== "string") return null;
    const fields = errors === undefined || Object.keys(errors).length === 0 ? { detail } : errors;
    return { fields, code, retryable: retryable ?? false };
  } catch {
    return null;
  }
}
