/** Options, callbacks and states of a `ScanrillSocket`. */

import type { Backoff } from "./backoff.ts";
import type { ListMessage, StreamMode, UploadEvent } from "./protocol.ts";
import type { TokenSource } from "./token.ts";

/** `waiting`: the next attempt is at `retryAt` (epoch milliseconds). `rejected`: there are no further attempts. */
export type ConnectionState =
  | { readonly kind: "idle" | "connecting" | "open" }
  | { readonly kind: "waiting"; readonly retryAt: number }
  | { readonly kind: "rejected"; readonly code: number; readonly reason: string };

/** Callbacks of a `ScanrillSocket`. */
export interface SocketListener {
  onState?(state: ConnectionState): void;
  /**
   * Called after every connect and reconnect.
   *
   * `recovered`: the missed events follow. Otherwise `onSnapshot` follows if `snapshot` is true; if it is false, call
   * `list`.
   */
  onConnected?(connected: { readonly recovered: boolean; readonly snapshot: boolean }): void;
  /** Called with the current list of all uploads, which replaces earlier state. Later events follow. */
  onSnapshot?(snapshot: ListMessage): void;
  onEvent?(event: UploadEvent): void;
}

export interface SocketOptions {
  /** URL of all uploads, as `socketUrl` returns it, or of one upload. */
  readonly url: string;
  readonly token: TokenSource;
  readonly listener?: SocketListener;
  /** Mode of live text; it also enables resuming. Without it, the server uses the plain protocol. */
  readonly stream?: StreamMode;
  readonly backoff?: Backoff;
  /** Time without a message after which the socket sends a ping; default 25,000 ms. */
  readonly idleTimeoutMs?: number;
  /** Time to wait for the pong before the socket reconnects; default 10,000 ms. */
  readonly pongTimeoutMs?: number;
}
