/**
 * A WebSocket that reconnects, subscribes, pairs replies with requests and reports events.
 *
 * With `stream`, it resumes after a reconnect: it sends the last cursor, and the server replays the later events.
 */

import { Backoff } from "./backoff.ts";
import {
  ConnectionLost,
  OUTCOME_UNKNOWN_MESSAGE,
  RequestError,
  ScanrillError,
  Unauthenticated,
  type FieldErrors,
} from "./errors.ts";
import {
  definedOptions,
  isTerminal,
  parseEvent,
  type Finished,
  type Instance,
  type ListFilters,
  type ListMessage,
  type NewUpload,
  type Request,
  type Subscribed,
  type UploadChanges,
  type UploadEvent,
  type UploadMessage,
  type ReadOptions,
} from "./protocol.ts";
import { EventQueue } from "./event-queue.ts";
import { serverUrl } from "./http.ts";
import { LiveText } from "./live-text.ts";
import type { ConnectionState, SocketOptions } from "./socket-options.ts";

const CLOSE_CODES = { normal: 1000, unauthenticated: 4401, originNotAllowed: 4403, notFound: 4404, rateLimited: 4429 };
const FINAL_CLOSE_CODES: readonly number[] = [CLOSE_CODES.originNotAllowed, CLOSE_CODES.notFound];
const RATE_LIMIT_DELAY_MS = 10_000;
/** Requests without side effects: the socket repeats them after a reconnect. */
const IDEMPOTENT_REQUESTS: readonly Request["type"][] = ["list", "retrieve", "ping"];

interface Pending {
  readonly message: Request;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: ScanrillError) => void;
  sent: boolean;
}

type ServerMessage = Readonly<Record<string, unknown>>;

/** Client of the WebSocket API. Call `start` to connect. */
export class ScanrillSocket {
  readonly #options: SocketOptions;
  readonly #backoff: Backoff;
  readonly #pending = new Map<string, Pending>();
  readonly #queues = new Set<EventQueue>();
  readonly #liveText = new LiveText();
  readonly #ended = new Map<string, Instance>();
  #socket: WebSocket | null = null;
  #state: ConnectionState = { kind: "idle" };
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #token: string | undefined;
  #rejectedToken: string | undefined;
  #refs = 0;
  /** Cursor of the last reported event; the next connection resumes from it. */
  #cursor: string | undefined;
  /** Number of the current connection attempt. Callbacks of older attempts are ignored. */
  #attempt = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? new Backoff();
  }

  // ── connection control ──

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connect, unless a connection exists already. */
  start(): void {
    if (this.#state.kind === "idle" || this.#state.kind === "rejected") void this.#connect();
  }

  /** Close the connection and reject all pending requests. `start` connects again. */
  stop(): void {
    this.#closeCurrent();
    this.#setState({ kind: "idle" });
    this.#rejectAll(new ConnectionLost("The connection was closed."));
    for (const queue of this.#queues) queue.end();
  }

  /** Reconnect immediately if waiting, for example when the browser is online again. */
  retryNow(): void {
    if (this.#state.kind === "waiting") void this.#connect();
  }

  // ── requests ──

  /**
   * Send a request and return its reply.
   *
   * Waits while disconnected. Throws `RequestError` if the server rejects the request, `ConnectionLost` if the
   * connection closes before the reply to a change.
   */
  request<Reply>(message: Request): Promise<Reply> {
    if (this.#state.kind === "rejected" || this.#state.kind === "idle") {
      return Promise.reject(new ConnectionLost("Not connected. Call start() first."));
    }
    return new Promise<Reply>((resolve, reject) => {
      const ref = String(++this.#refs);
      const pending: Pending = { message, resolve: resolve as (reply: unknown) => void, reject, sent: false };
      this.#pending.set(ref, pending);
      if (this.#state.kind === "open") this.#sendRequest(ref, pending);
    });
  }

  /** Upload a file in one message. For large files use `ScanrillRest.upload`. */
  create(data: NewUpload): Promise<UploadMessage> {
    return this.request({ type: "create", data });
  }

  /** Fetch a list of uploads, newest first. */
  list(filters: ListFilters = {}): Promise<ListMessage> {
    return this.request({ type: "list", ...filters });
  }

  /** Fetch an upload with its texts. */
  async retrieve(instance_id: string): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "retrieve", instance_id })).instance;
  }

  /** Change the file name, the text or the metadata of an upload. */
  async update(instance_id: string, data: UploadChanges): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "update", instance_id, data })).instance;
  }

  /** Delete an upload with its file and its text. */
  async delete(instance_id: string): Promise<Instance> {
    return (await this.request<UploadMessage>({ type: "delete", instance_id })).instance;
  }

  /** Cancel the reading of an upload. */
  cancel(instance_id: string): Promise<Finished> {
    return this.request({ type: "cancel", instance_id });
  }

  /** Read a finished upload again from page 1. Omitted options keep their previous values. */
  async retry(instance_id: string, options: ReadOptions = {}): Promise<Instance> {
    const data = definedOptions(options);
    const payload = Object.keys(data).length === 0 ? {} : { data };
    return (await this.request<UploadMessage>({ type: "retry", instance_id, ...payload })).instance;
  }

  /**
   * Iterate over the events of all uploads, from now on: `for await (const event of socket.events())`.
   *
   * Connects if needed. Ends after `stop`, and throws if the server rejects the connection.
   */
  async *events(): AsyncGenerator<UploadEvent, void> {
    const queue = new EventQueue();
    this.#queues.add(queue);
    try {
      this.start();
      yield* queue;
    } finally {
      this.#queues.delete(queue);
    }
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
   * Send `subscribe`, whose reply completes the connection.
   *
   * The server rejects a client by a close after the handshake, so an open socket does not prove that it was accepted.
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
    // Without recovery, the snapshot replaces all earlier state, including the earlier cursor.
    this.#cursor = cursor;
    this.#options.listener?.onConnected?.({ recovered: recovered === true, snapshot: recovered === false });
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
    const text = reason || "The server rejected the connection.";
    const error = code === CLOSE_CODES.unauthenticated ? new Unauthenticated(text) : new ConnectionLost(text);
    this.#rejectAll(error);
    for (const queue of this.#queues) queue.end(error);
  }

  /** Close the current connection, ignore its later callbacks and return the number of the next attempt. */
  #closeCurrent(): number {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#idleTimer);
    const socket = this.#socket;
    this.#socket = null;
    // A connection that is closed while it opens can stay in Node.js, and then its process does not end.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(CLOSE_CODES.normal);
    else socket?.close(CLOSE_CODES.normal);
    return ++this.#attempt;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#options.listener?.onState?.(state);
  }

  // ── messages ──

  #onMessage(message: ServerMessage): void {
    this.#restartIdleTimer();
    if (message["message"] === "subscribed") {
      this.#onSubscribed(message);
      return;
    }
    // Messages before the acknowledgement have no cursor; the server repeats them after it.
    if (this.#state.kind !== "open") return;
    const isReply = this.#resolvePending(message);
    if (message["type"] === "Upload.list" && !isReply && Array.isArray(message["list"])) {
      this.#options.listener?.onSnapshot?.(message as unknown as ListMessage);
    }
    this.#rememberEnd(message, isReply);
    // With `stream`, the event of an own change follows its reply.
    if (isReply && this.#options.stream !== undefined) return;
    const event = this.#withInstance(parseEvent(message));
    if (event === null || !this.#advanceCursor(message["cursor"])) return;
    this.#report(event);
  }

  /** Report an event to the listener and to the iterators; live text as the whole text of its page. */
  #report(event: UploadEvent): void {
    let reported: UploadEvent = event;
    if (event.kind === "partial" && this.#options.stream === "delta") {
      const partial = this.#liveText.apply(event.partial);
      if (partial === null) return this.#sendJson({ type: "resync", instance_id: event.partial.id });
      reported = { kind: "partial", partial };
    }
    if (event.kind === "finished") this.#liveText.delete(event.finished.id);
    this.#options.listener?.onEvent?.(reported);
    for (const queue of this.#queues) queue.push(reported);
  }

  /**
   * Move the cursor forward and return whether the message is new.
   *
   * Replies and partial texts have no cursor. Sequence numbers increase within an epoch; a new epoch is a new event log.
   */
  #advanceCursor(cursor: unknown): boolean {
    if (typeof cursor !== "string") return true;
    const [epoch, seq] = parseCursor(cursor);
    const [knownEpoch, knownSeq] = this.#cursor === undefined ? ["", -1] : parseCursor(this.#cursor);
    if (epoch === knownEpoch && seq <= knownSeq) return false;
    this.#cursor = cursor;
    return true;
  }

  /** Keep the upload of a reading that has ended: the message of the end follows, and both are one event. */
  #rememberEnd({ type, instance }: ServerMessage, isReply: boolean): void {
    if (isReply || type !== "Upload.status" || instance === undefined) return;
    const upload = instance as Instance;
    if (isTerminal(upload.status)) this.#ended.set(upload.id, upload);
  }

  #withInstance(event: UploadEvent | null): UploadEvent | null {
    if (event?.kind !== "finished") return event;
    const instance = this.#ended.get(event.finished.id);
    this.#ended.delete(event.finished.id);
    return instance === undefined ? event : { ...event, instance };
  }

  /** Complete the request that a message replies to; return false if it is not a reply. A reply may also be an event. */
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

  /** Queue interrupted read requests again and reject interrupted changes. */
  #failInterrupted(): void {
    for (const [ref, pending] of this.#pending) {
      if (IDEMPOTENT_REQUESTS.includes(pending.message.type)) {
        pending.sent = false;
      } else if (pending.sent) {
        this.#pending.delete(ref);
        pending.reject(new ConnectionLost(OUTCOME_UNKNOWN_MESSAGE));
      }
    }
  }

  #rejectAll(error: ScanrillError): void {
    const failed = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of failed) pending.reject(error);
  }

  // ── idle timeout ──

  #restartIdleTimer(): void {
    const { idleTimeoutMs = 25_000, pongTimeoutMs = 10_000 } = this.#options;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      this.#sendJson({ type: "ping" });
      this.#idleTimer = setTimeout(() => this.#onClose(1006, "The server is not responding."), pongTimeoutMs);
    }, idleTimeoutMs);
  }
}

/** Return the URL of the WebSocket of a server, for example of `https://example.com/scan`. */
export function socketUrl(base: string): string {
  return serverUrl(base, "/ws/core/upload/").href.replace(/^http/, "ws");
}

function parseCursor(cursor: string): readonly [epoch: string, seq: number] {
  const colon = cursor.lastIndexOf(":");
  return [cursor.slice(0, colon), Number(cursor.slice(colon + 1))];
}
