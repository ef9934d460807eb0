/** Sources of access tokens for `ScanrillSocket` and `ScanrillRest`. */

import { Unauthenticated } from "./errors.ts";

/**
 * Function that returns an access token.
 *
 * `rejected` is the token that the server has rejected; the function must then return a new one. Throws
 * `Unauthenticated` if the user must sign in again, `ServerUnreachable` if a later call may succeed.
 */
export type TokenSource = (rejected?: string) => Promise<string>;

/** Return a source that always returns `token`. It throws `Unauthenticated` once the server rejects that token. */
export function staticToken(token: string): TokenSource {
  return (rejected) =>
    rejected === token
      ? Promise.reject(new Unauthenticated("The token is invalid or expired."))
      : Promise.resolve(token);
}
