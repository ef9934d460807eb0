/** The session of a browser: the refresh token is in an HttpOnly cookie, the access token in memory. */

import { RequestError, Unauthenticated } from "./errors.ts";
import { sendRequest } from "./http.ts";

interface TokenResponse {
  readonly access: string;
}

/** Minimum remaining validity of an access token; `token` renews a token with less. */
const MIN_VALIDITY_MS = 60_000;

/**
 * Signs a user in and out, and supplies access tokens.
 *
 * Its requests can be repeated, so they throw `ServerUnreachable` if there is no response. A sign-in code is valid once.
 */
export class CookieSession {
  readonly #base: string;
  #access: string | null = null;
  #refreshing: Promise<string> | null = null;

  /** `base` is the URL of the server; in the server's own web page, the origin of the page. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Sign in with the code of a sign-in link. Throws `RequestError` if the code was used or has expired. */
  async signInWithCode(code: string): Promise<void> {
    this.#access = (await this.#post<TokenResponse>("/api/token/code/", { code })).access;
  }

  /** Sign in with username and password. Throws `RequestError` if they are wrong. */
  async signIn(username: string, password: string): Promise<void> {
    this.#access = (await this.#post<TokenResponse>("/api/token/", { username, password, cookie: true })).access;
  }

  /** Discard the access token and end the session on the server: its sockets close, its tokens are invalid. */
  async signOut(): Promise<void> {
    this.#access = null;
    await sendRequest(this.#base, "/api/token/", { method: "DELETE" }, { isRepeatable: true });
  }

  /** Return a valid access token; a `TokenSource`. Concurrent calls share one refresh request. */
  readonly token = async (rejected?: string): Promise<string> => {
    if (this.#access !== null && this.#access !== rejected && msUntilExpiry(this.#access) > MIN_VALIDITY_MS) {
      return this.#access;
    }
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  };

  /** Refresh in one tab at a time: each refresh replaces the cookie, and an old one ends the session. */
  async #refresh(): Promise<string> {
    const locks = globalThis.navigator?.locks as LockManager | undefined; // not on http outside localhost
    const post = () => this.#post<TokenResponse>("/api/token/refresh/", {});
    try {
      this.#access = (await (locks?.request(`scanrill refresh ${this.#base}`, post) ?? post())).access;
      return this.#access;
    } catch (error) {
      this.#access = null;
      if (error instanceof RequestError) throw new Unauthenticated("Not signed in.");
      throw error;
    }
  }

  async #post<Body>(path: string, body: object): Promise<Body> {
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await sendRequest(this.#base, path, init, { isRepeatable: true });
    return (await response.json()) as Body;
  }
}

/** Return the remaining validity of a JWT. Infinity if it has no readable expiry: the server then decides. */
function msUntilExpiry(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: number };
    return exp === undefined ? Infinity : exp * 1000 - Date.now();
  } catch {
    return Infinity;
  }
}

