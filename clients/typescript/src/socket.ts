/**
 * One WebSocket that comes back: connects, subscribes, pairs replies with requests, tells what happens.
 *
 * With `stream` it resumes: it knows the cursor of the last event that it told, asks for what came after it, and
 * tells no event twice.
 */

import { Backoff } from "./backoff.ts";
import { ConnectionLost, RequestRefused, ScanrillError, Unauthenticated, type FieldErrors } from "./errors.ts";
import {
  eventOf,
  given,
  type Ended,
  type Instance,
  type ListMessage,
  type NewUpload,
  type Request,
  type StreamMode,
  type Subscribed,
  type UploadChanges,
  type UploadEvent,
  type UploadMessage,
  type Wishes,
} from "./protocol.ts";
import type { TokenSource } from "./token.ts";

/** `waiting` until `retryAt` (epoch milliseconds); after `refused` nothing more is tried. */
export type ConnectionState =
  | { readonly kind: "idle" | "connecting" | "open" }
  | { readonly kind: "waiting"; readonly retryAt: number }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string };

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
  readonly silenceMs?: number;
  /** A server that does not answer for so long is taken for gone. */
  readonly answerMs?: number;
}

const CLOSE = { normal: 1000, badToken: 4401, origin: 4403, unknown: 4404, tooMany: 4429 };
const FINAL: readonly number[] = [CLOSE.origin, CLOSE.unknown];
const TOO_MANY_WAIT_MS = 10_000;
/** Asking twice changes nothing: sent again after a reconnect. */
const READS: readonly Request["type"][] = ["list", "retrieve", "ping"];

interface Pending {
  readonly message: Request;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: ScanrillError) => void;
  sent: boolean;
}

type Incoming = Readonly<Record<string, unknown>>;

export class ScanrillSocket {
  readonly #options: SocketOptions;
  readonly #backoff: Backoff;
  readonly #pending = new Map<string, Pending>();
  #socket: WebSocket | null = null;
  #state: ConnectionState = { kind: "idle" };
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #token: string | undefined;
  #rejected: string | undefined;
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
    if (this.#state.kind === "idle" || this.#state.kind === "refused") void this.#connect();
  }

  /** For good, until `start`. Requests that are under way fail. */
  stop(): void {
    this.#abandon();
    this.#set({ kind: "idle" });
    this.#failAll(new ConnectionLost("The connection was closed."));
  }

  /** Does not wait for the next attempt: the network is back, or somebody looks at the page again. */
  retryNow(): void {
    if (this.#state.kind === "waiting") void this.#connect();
  }

  // ── requests ──

  /** The reply. Waits for the connection where there is none; a change that it cuts off fails. */
  request<Reply>(message: Request): Promise<Reply> {
    if (this.#state.kind === "refused" || this.#state.kind === "idle") {
      return Promise.reject(new ConnectionLost("There is no connection."));
    }
    return new Promise<Reply>((resolve, reject) => {
      const ref = String(++this.#refs);
      const pending: Pending = { message, resolve: resolve as (reply: unknown) => void, reject, sent: false };
      this.#pending.set(ref, pending);
      if (this.#state.kind === "open") this.#send(ref, pending);
    });
  }

  /** A file in one message; what is large is better sent by `ScanrillRest.upload`. */
  create(data: NewUpload): Promise<UploadMessage> {
    return this.request({ type: "create", data });
  }

  list(wanted: Omit<Extract<Request, { type: "list" }>, "type"> = {}): Promise<ListMessage> {
    return this.request({ type: "list", ...wanted });
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

  cancel(instance_id: string): Promise<Ended> {
    return this.request({ type: "cancel", instance_id });
  }

  /** What has ended, from page 1; what is not asked anew stays as it was asked before. */
  async retry(instance_id: string, wishes: Wishes = {}): Promise<Instance> {
    const data = given(wishes);
    const how = Object.keys(data).length === 0 ? {} : { data };
    return (await this.request<UploadMessage>({ type: "retry", instance_id, ...how })).instance;
  }

  // ── connecting ──

  async #connect(): Promise<void> {
    const attempt = this.#abandon();
    this.#set({ kind: "connecting" });
    let token: string;
    try {
      token = await this.#options.token(this.#rejected);
    } catch (error) {
      if (attempt === this.#attempt) this.#noToken(error);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#token = token;
    this.#open(attempt, token);
  }

  #noToken(error: unknown): void {
    if (error instanceof Unauthenticated) this.#refuse(CLOSE.badToken, error.message);
    else this.#wait(this.#backoff.nextMs());
  }

  #open(attempt: number, token: string): void {
    const url = new URL(this.#options.url);
    url.searchParams.set("token", token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    const current = () => attempt === this.#attempt;
    socket.onopen = () => current() && this.#hearken();
    socket.onmessage = ({ data }) => current() && this.#heed(JSON.parse(String(data)) as Incoming);
    socket.onclose = ({ code, reason }) => current() && this.#closed(code, reason);
  }

  /**
   * Every refusal comes as a close after the handshake, so an open socket says nothing yet: the reply to the
   * first request does.
   */
  #hearken(): void {
    const { stream } = this.#options;
    this.#watchSilence();
    this.#post({
      type: "subscribe",
      ...(stream === undefined ? {} : { stream }),
      ...(this.#cursor === undefined ? {} : { since: this.#cursor }),
    });
  }

  #subscribed({ cursor, recovered }: Partial<Subscribed>): void {
    this.#backoff.reset();
    this.#rejected = undefined;
    this.#set({ kind: "open" });
    for (const [ref, pending] of this.#pending) if (!pending.sent) this.#send(ref, pending);
    // Where it was not recovered, what is known up to the snapshot is void, its cursor among it.
    this.#cursor = cursor;
    this.#options.listener.onConnected?.({ recovered: recovered === true, snapshot: recovered === false });
  }

  #closed(code: number, reason: string): void {
    const refreshed = this.#rejected !== undefined;
    this.#abandon();
    this.#settleCutOff();
    if (FINAL.includes(code)) {
      this.#refuse(code, reason);
    } else if (code === CLOSE.badToken && !refreshed) {
      this.#rejected = this.#token;
      void this.#connect();
    } else if (code === CLOSE.badToken) {
      this.#refuse(code, reason);
    } else {
      this.#wait(Math.max(this.#backoff.nextMs(), code === CLOSE.tooMany ? TOO_MANY_WAIT_MS : 0));
    }
  }

  #wait(ms: number): void {
    this.#retryTimer = setTimeout(() => void this.#connect(), ms);
    this.#set({ kind: "waiting", retryAt: Date.now() + ms });
  }

  #refuse(code: number, reason: string): void {
    this.#rejected = undefined;
    this.#set({ kind: "refused", code, reason });
    const text = reason || "The server refuses the connection.";
    this.#failAll(code === CLOSE.badToken ? new Unauthenticated(text) : new ConnectionLost(text));
  }

  /** Nothing of the present attempt is heard any more; gives the number of the next. */
  #abandon(): number {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    this.#socket?.close(CLOSE.normal);
    this.#socket = null;
    return ++this.#attempt;
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#options.listener.onState?.(state);
  }

  // ── messages ──

  #heed(message: Incoming): void {
    this.#watchSilence();
    if (message["message"] === "subscribed") {
      this.#subscribed(message);
      return;
    }
    // What comes before the acknowledgement is told in the plain way, and is told again after it.
    if (this.#state.kind !== "open") return;
    const asked = this.#settle(message);
    if (message["type"] === "Upload.list" && !asked && Array.isArray(message["list"])) {
      this.#options.listener.onSnapshot?.(message as unknown as ListMessage);
    }
    const event = eventOf(message);
    if (event === null || !this.#isNew(message["cursor"])) return;
    this.#options.listener.onEvent?.(event);
  }

  /** Replies and partials have no cursor. Those of one epoch count up; another epoch is another log. */
  #isNew(cursor: unknown): boolean {
    if (typeof cursor !== "string") return true;
    const [epoch, seq] = split(cursor);
    const [knownEpoch, knownSeq] = this.#cursor === undefined ? ["", -1] : split(this.#cursor);
    if (epoch === knownEpoch && seq <= knownSeq) return false;
    this.#cursor = cursor;
    return true;
  }

  /** Whether it is the reply to a request. One that tells of a change is told as its event as well. */
  #settle(message: Incoming): boolean {
    const ref = message["ref"];
    const pending = typeof ref === "string" ? this.#pending.get(ref) : undefined;
    if (pending === undefined) return false;
    this.#pending.delete(ref as string);
    const error = message["error"];
    if (typeof error === "object" && error !== null) pending.reject(new RequestRefused(error as FieldErrors));
    else pending.resolve(message);
    return true;
  }

  #send(ref: string, pending: Pending): void {
    pending.sent = true;
    this.#post({ ...pending.message, ref });
  }

  #post(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #settleCutOff(): void {
    for (const [ref, pending] of this.#pending) {
      if (READS.includes(pending.message.type)) {
        pending.sent = false;
      } else if (pending.sent) {
        this.#pending.delete(ref);
        pending.reject(new ConnectionLost("The connection broke before the reply came."));
      }
    }
  }

  #failAll(error: ScanrillError): void {
    const failed = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of failed) pending.reject(error);
  }

  // ── a server that is gone without a word ──

  #watchSilence(): void {
    const { silenceMs = 25_000, answerMs = 10_000 } = this.#options;
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => {
      this.#post({ type: "ping" });
      this.#silenceTimer = setTimeout(() => this.#closed(1006, "The server does not answer."), answerMs);
    }, silenceMs);
  }
}

function split(cursor: string): readonly [epoch: string, seq: number] {
  const colon = cursor.lastIndexOf(":");
  return [cursor.slice(0, colon), Number(cursor.slice(colon + 1))];
}
