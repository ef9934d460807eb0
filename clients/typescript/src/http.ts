/** One HTTP request; what is wrong with it comes as an error of this package's tree. */

import { RequestRefused, Unreachable, type FieldErrors } from "./errors.ts";

const NO_ANSWER = "The server does not answer. Is it running?";

/** Throws `Unreachable`, or `RequestRefused` for any status that is no success. */
export async function call(base: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new Unreachable(NO_ANSWER, { cause: error });
  }
  if (response.ok) return response;
  throw refusal(response.status, await response.text());
}

/** A server that is just going down, or a proxy before one that is away, answers with no error of ours. */
export function refusal(status: number, body: string): RequestRefused | Unreachable {
  const fields = fieldsOf(body);
  if (fields !== null) return new RequestRefused(fields, status);
  if (status >= 502 || status === 0) return new Unreachable(NO_ANSWER);
  return new RequestRefused({ detail: `The server answered with status ${status}.` }, status);
}

function fieldsOf(body: string): FieldErrors | null {
  try {
    const answer = JSON.parse(body) as { error?: FieldErrors; detail?: string };
    if (typeof answer.error === "object") return answer.error;
    return typeof answer.detail === "string" ? { detail: answer.detail } : null;
  } catch {
    return null;
  }
}
