/** API keys of the user. */

export type KeyScope = "read" | "write";

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** Beginning of the key, which recognizes it. */
  readonly prefix: string;
  /** `write`: everything; `read`: requests that change nothing. */
  readonly scope: KeyScope;
  /** Time in ISO 8601. */
  readonly created_at: string;
  /** Null: the key does not expire. */
  readonly expires_at: string | null;
  /** Null: the key is not used yet. */
  readonly last_used_at: string | null;
}

export interface NewApiKey extends ApiKey {
  /** The key itself, which the server shows once. */
  readonly key: string;
}

export interface ApiKeyOptions {
  /** What uses the key. The keys of a user have different names. */
  readonly name: string;
  /** Default: `write`. */
  readonly scope?: KeyScope;
  /** Default: null, which means never. */
  readonly expires_in_days?: number | null;
}
