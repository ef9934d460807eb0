/** Where the socket and REST get their access token from. */

import { Unauthenticated } from "./errors.ts";

/**
 * Gives a token that should be valid. `rejected` is the one that the server has just refused: a fresh one is
 * wanted then. Throws `Unauthenticated` where only a new sign-in helps, `Unreachable` where later may do.
 */
export type TokenSource = (rejected?: string) => Promise<string>;

/** A source for programs that were handed one token. */
export function staticToken(token: string): TokenSource {
  return (rejected) =>
    rejected === token
      ? Promise.reject(new Unauthenticated("The token is invalid or expired."))
      : Promise.resolve(token);
}
