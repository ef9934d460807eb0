/** One HTTP request; what is wrong with it comes as an error of this package's tree. */

import { RequestError, ServerUnreachable, type FieldErrors } from "./errors.ts";

const UNREACHABLE_MESSAGE = "The server does not answer. Is it running?";

/** Throws `Unreachable`, or `RequestRefused` for any status that is no success. */
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

/** A server that is just going down, or a proxy before one that is away, answers with no error of ours. */
export function errorFromResponse(status: number, body: string): RequestError | ServerUnreachable {
  const fields = parseFieldErrors(body);
  if (fields !== null) return new RequestError(fields, status);
  if (status >= 502 || status === 0) return new ServerUnreachable(UNREACHABLE_MESSAGE);
  return new RequestError({ detail: `The server answered with status ${status}.` }, status);
}

function parseFieldErrors(body: string): FieldErrors | null {
  try {
    const parsed = JSON.parse(body) as { error?: FieldErrors; detail?: string };
    if (typeof parsed.error === "object") return parsed.error;
    return typeof parsed.detail === "string" ? { detail: parsed.detail } : null;
  } catch {
    return null;
  }
}
