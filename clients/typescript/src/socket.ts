/**
 * One WebSocket that comes back: connects, subscribes, pairs replies with requests, tells what happens.
 *
 * With `stream` it resumes: it knows the cursor of the last event that it told, asks for what came after it, and
 * tells no event twice.
 */

import { Backoff } from "./backoff.ts";
import { ConnectionLost, RequestError, ScanrillError, Unauthenticated, type FieldErrors } from "./errors.ts";
import {
  parseEvent,
  definedOptions,
  type Finished,
  type Instance,
  type ListMessage,
  type NewUpload,
  type Request,
  type StreamMode,
  type Subscribed,
  type UploadChanges,
  type UploadEvent,
  type UploadMessage,
  type ReadOptions,
} from "./protocol.ts";
import type { TokenSource } from "./token.ts";

/** `waiting` until `retryAt` (epoch milliseconds); after `refused` nothing more is tried. */
export type ConnectionState =
  | { readonly kind: "idle" | "connecting" | "open" }
  | { readonly kind: "waiting"; readonly retryAt: number }
  | { readonly kind: "rejected"; readonly code: number; readonly reason: string };

export interface SocketListener {
  onState?(state: ConnectionState): void;
  /**
   * Connected, again or for the first time. Where `recovered`, all that happened meanwhile is told as events; where
   * not, it is not: ask for the list, or take the one that `onSnapshot` brings.
   */
  onConnected?(connected: { readonly recovered: boolean; readonly snapshot: boolean }): void;
  /** All uploads, as they are; the events after it follow. */
  onSnapshot?(snapshot: ListMessage): void;
  onEvent?(event: UploadEvent): void;
}

export interface SocketOptions {
  /** `ws://host/ws/core/upload/`, or that of one upload. */
  readonly url: string;
  readonly token: TokenSource;
  readonly listener: SocketListener;
  /** Opts in to a way of streaming; without it the server speaks its plain protocol. */
  readonly stream?: StreamMode;
  readonly backoff?: Backoff;
  /** After so long without a message the server is asked for one. */
  readonly idleTimeoutMs?: number;
  /** A server that does not answer for so long is taken for gone. */
  readonly pongTimeoutMs?: number;
}

const CLOSE_CODES = { normal: 1000, unauthenticated: 4401, originNotAllowed: 4403, notFound: 4404, rateLimited: 4429 };
const FINAL_CLOSE_CODES: readonly number[] = [CLOSE_CODES.originNotAllowed, CLOSE_CODES.notFound];
const RATE_LIMIT_DELAY_MS = 10_000;
/** Asking twice changes nothing: sent again after a reconnect. */
const IDEMPOTENT_REQUESTS: readonly Request["type"][] = ["list", "retrieve", "ping"];

interface Pending {
  readonly message: Request;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: ScanrillError) => void;
  sent: boolean;
}

type ServerMessage = Readonly<Record<string, unknown>>;

export class ScanrillSocket {
  readonly #options: SocketOptions;
  readonly #backoff: Backoff;
  readonly #pending = new Map<string, Pending>();
  #socket: WebSocket | null = null;
  #state: ConnectionState = { kind: "idle" };
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #token: string | undefined;
  #rejectedToken: string | undefined;
  #refs = 0;
  /** Of the last event that was told: what a later connection asks to go on from. */
  #cursor: string | undefined;
  /** Grows with every attempt: what an older attempt still brings is not heard. */
  #attempt = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? new Backoff();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  // ── the life of the connection ──

  start(): void {
    if (this.#state.kind === "idle" || this.#state.kind === "rejected") void this.#connect();
  }

  /** For good, until `start`. Requests that are under way fail. */
  stop(): void {
    this.#closeCurrent();
    this.#setState({ kind: "idle" });
    this.#rejectAll(new ConnectionLost("The connection was closed."));
  }

  /** Does not wait for the next attempt: the network is back, or somebody looks at the page again. */
  retryNow(): void {
    if (this.#state.kind === "waiting") void this.#connect();
  }

  // ── requests ──

  /** The reply. Waits for the connection where there is none; a change that it cuts off fails. */
  request<Reply>(message: Request): Promise<Reply> {
    if (this.#state.kind === "rejected" || this.#state.kind === "idle") {
      return Promise.reject(new ConnectionLost("There is no connection."));
    }
    return new Promise<Reply>((resolve, reject) => {
      const ref = String(++this.#refs);
      const pending: Pending = { message, resolve: resolve as (reply: unknown) => void, reject, sent: false };
      this.#pending.set(ref, pending);
      if (this.#state.kind === "open") this.#sendRequest(ref, pending);
    });
  }

  /** A file in one message; what is large is better sent by `ScanrillRest.upload`. */
  create(data: NewUpload): Promise<UploadMessage> {
    return this.request({ type: "create", data });
  }

  list(filters: Omit<Extract<Request, { type: "list" }>, "type"> = {}): Promise<ListMessage> {
    return this.request({ type: "list", ...filters });
  }

  /** With its texts. */
  async retrieve(instance_id: string): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "retrieve", instance_id })).instance;
  }

  async update(instance_id: string, data: UploadChanges): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "update", instance_id, data })).instance;
  }

  async delete(instance_id: string): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "delete", instance_id })).instance;
  }

  cancel(instance_id: string): Promise<Finished> {
    return this.request({ type: "cancel", instance_id });
  }

  /** What has ended, from page 1; what is not asked anew stays as it was asked before. */
  async retry(instance_id: string, options: ReadOptions = {}): Promise<Instance> {
    const data = definedOptions(options);
    const payload = Object.keys(data).length === 0 ? {} : { data };
    return (await this.request<UploadMessage>({ type: "retry", instance_id, ...payload })).instance;
  }

  // ── connecting ──

  async #connect(): Promise<void> {
    const attempt = this.#closeCurrent();
    this.#setState({ kind: "connecting" });
    let token: string;
    try {
      token = await this.#options.token(this.#rejectedToken);
    } catch (error) {
      if (attempt === this.#attempt) this.#onTokenError(error);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#token = token;
    this.#openSocket(attempt, token);
  }

  #onTokenError(error: unknown): void {
    if (error instanceof Unauthenticated) this.#reject(CLOSE_CODES.unauthenticated, error.message);
    else this.#scheduleReconnect(this.#backoff.nextMs());
  }

  #openSocket(attempt: number, token: string): void {
    const url = new URL(this.#options.url);
    url.searchParams.set("token", token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    const current = () => attempt === this.#attempt;
    socket.onopen = () => current() && this.#sendSubscribe();
    socket.onmessage = ({ data }) => current() && this.#onMessage(JSON.parse(String(data)) as ServerMessage);
    socket.onclose = ({ code, reason }) => current() && this.#onClose(code, reason);
  }

  /**
   * Every refusal comes as a close after the handshake, so an open socket says nothing yet: the reply to the
   * first request does.
   */
  #sendSubscribe(): void {
    const { stream } = this.#options;
    this.#restartIdleTimer();
    this.#sendJson({
      type: "subscribe",
      ...(stream === undefined ? {} : { stream }),
      ...(this.#cursor === undefined ? {} : { since: this.#cursor }),
    });
  }

  #onSubscribed({ cursor, recovered }: Partial<Subscribed>): void {
    this.#backoff.reset();
    this.#rejectedToken = undefined;
    this.#setState({ kind: "open" });
    for (const [ref, pending] of this.#pending) if (!pending.sent) this.#sendRequest(ref, pending);
    // Where it was not recovered, what is known up to the snapshot is void, its cursor among it.
    this.#cursor = cursor;
    this.#options.listener.onConnected?.({ recovered: recovered === true, snapshot: recovered === false });
  }

  #onClose(code: number, reason: string): void {
    const refreshed = this.#rejectedToken !== undefined;
    this.#closeCurrent();
    this.#failInterrupted();
    if (FINAL_CLOSE_CODES.includes(code)) {
      this.#reject(code, reason);
    } else if (code === CLOSE_CODES.unauthenticated && !refreshed) {
      this.#rejectedToken = this.#token;
      void this.#connect();
    } else if (code === CLOSE_CODES.unauthenticated) {
      this.#reject(code, reason);
    } else {
      this.#scheduleReconnect(Math.max(this.#backoff.nextMs(), code === CLOSE_CODES.rateLimited ? RATE_LIMIT_DELAY_MS : 0));
    }
  }

  #scheduleReconnect(ms: number): void {
    this.#retryTimer = setTimeout(() => void this.#connect(), ms);
    this.#setState({ kind: "waiting", retryAt: Date.now() + ms });
  }

  #reject(code: number, reason: string): void {
    this.#rejectedToken = undefined;
    this.#setState({ kind: "rejected", code, reason });
    const text = reason || "The server refuses the connection.";
    this.#rejectAll(code === CLOSE_CODES.unauthenticated ? new Unauthenticated(text) : new ConnectionLost(text));
  }

  /** Nothing of the present attempt is heard any more; gives the number of the next. */
  #closeCurrent(): number {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#idleTimer);
    this.#socket?.close(CLOSE_CODES.normal);
    this.#socket = null;
    return ++this.#attempt;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#options.listener.onState?.(state);
  }

  // ── messages ──

  #onMessage(message: ServerMessage): void {
    this.#restartIdleTimer();
    if (message["message"] === "subscribed") {
      this.#onSubscribed(message);
      return;
    }
    // What comes before the acknowledgement is told in the plain way, and is told again after it.
    if (this.#state.kind !== "open") return;
    const isReply = this.#resolvePending(message);
    if (message["type"] === "Upload.list" && !isReply && Array.isArray(message["list"])) {
      this.#options.listener.onSnapshot?.(message as unknown as ListMessage);
    }
    const event = parseEvent(message);
    if (event === null || !this.#advanceCursor(message["cursor"])) return;
    this.#options.listener.onEvent?.(event);
  }

  /** Replies and partials have no cursor. Those of one epoch count up; another epoch is another log. */
  #advanceCursor(cursor: unknown): boolean {
    if (typeof cursor !== "string") return true;
    const [epoch, seq] = parseCursor(cursor);
    const [knownEpoch, knownSeq] = this.#cursor === undefined ? ["", -1] : parseCursor(this.#cursor);
    if (epoch === knownEpoch && seq <= knownSeq) return false;
    this.#cursor = cursor;
    return true;
  }

  /** Whether it is the reply to a request. One that tells of a change is told as its event as well. */
  #resolvePending(message: ServerMessage): boolean {
    const ref = message["ref"];
    const pending = typeof ref === "string" ? this.#pending.get(ref) : undefined;
    if (pending === undefined) return false;
    this.#pending.delete(ref as string);
    const error = message["error"];
    if (typeof error === "object" && error !== null) pending.reject(new RequestError(error as FieldErrors));
    else pending.resolve(message);
    return true;
  }

  #sendRequest(ref: string, pending: Pending): void {
    pending.sent = true;
    this.#sendJson({ ...pending.message, ref });
  }

  #sendJson(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #failInterrupted(): void {
    for (const [ref, pending] of this.#pending) {
      if (IDEMPOTENT_REQUESTS.includes(pending.message.type)) {
        pending.sent = false;
      } else if (pending.sent) {
        this.#pending.delete(ref);
        pending.reject(new ConnectionLost("The connection broke before the reply came."));
      }
    }
  }

  #rejectAll(error: ScanrillError): void {
    const failed = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of failed) pending.reject(error);
  }

  // ── a server that is gone without a word ──

  #restartIdleTimer(): void {
    const { idleTimeoutMs = 25_000, pongTimeoutMs = 10_000 } = this.#options;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      this.#sendJson({ type: "ping" });
      this.#idleTimer = setTimeout(() => this.#onClose(1006, "The server does not answer."), pongTimeoutMs);
    }, idleTimeoutMs);
  }
}

function parseCursor(cursor: string): readonly [epoch: string, seq: number] {
  const colon = cursor.lastIndexOf(":");
  return [cursor.slice(0, colon), Number(cursor.slice(colon + 1))];
}
