/** Somebody signed in with a browser: the refresh token in a cookie that no script sees, the other in memory. */

import { RequestError, Unauthenticated } from "./errors.ts";
import { sendRequest } from "./http.ts";

interface TokenResponse {
  readonly access: string;
}

/** A token with less left than this is renewed before it is used. */
const MIN_VALIDITY_MS = 60_000;

export class CookieSession {
  readonly #base: string;
  #access: string | null = null;
  #refreshing: Promise<string> | null = null;

  /** `base` is the server's address; in a page of its own the page's origin. */
  constructor(base: string) {
    this.#base = base;
  }

  /** By the code of a link that the server printed. Throws `RequestRefused` where it was used or is too old. */
  async signInWithCode(code: string): Promise<void> {
    this.#access = (await this.#post<TokenResponse>("/api/token/code/", { code })).access;
  }

  async signIn(username: string, password: string): Promise<void> {
    this.#access = (await this.#post<TokenResponse>("/api/token/", { username, password, cookie: true })).access;
  }

  async signOut(): Promise<void> {
    this.#access = null;
    await sendRequest(this.#base, "/api/token/", { method: "DELETE" });
  }

  /** A `TokenSource`. Many may ask at once; the server is asked once. */
  readonly token = async (rejected?: string): Promise<string> => {
    if (this.#access !== null && this.#access !== rejected && msUntilExpiry(this.#access) > MIN_VALIDITY_MS) {
      return this.#access;
    }
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  };

  async #refresh(): Promise<string> {
    try {
      this.#access = (await this.#post<TokenResponse>("/api/token/refresh/", {})).access;
      return this.#access;
    } catch (error) {
      this.#access = null;
      if (error instanceof RequestError) throw new Unauthenticated("Nobody is signed in.");
      throw error;
    }
  }

  async #post<Body>(path: string, body: object): Promise<Body> {
    const response = await sendRequest(this.#base, path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Body;
  }
}

/** Of a JWT. One that does not say counts as valid: the server will tell. */
function msUntilExpiry(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: number };
    return exp === undefined ? Infinity : exp * 1000 - Date.now();
  } catch {
    return Infinity;
  }
}

