/** The messages of the WebSocket API, as types, and what each means; pure. */

export type Status = "pending" | "processing" | "processed" | "error" | "cancelled";

/** An upload. The two texts are there in replies to `retrieve` and in updates only. */
export interface Instance {
  readonly id: string;
  readonly owner: string;
  readonly filename: string;
  readonly image_path: string;
  readonly image_hash: string;
  readonly content_type: string;
  readonly bytes: number;
  readonly status: Status;
  readonly error: string | null;
  readonly page_count: number | null;
  readonly pages_done: number;
  readonly engine: string;
  readonly languages: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly raw_text?: string;
  readonly processed_text?: string;
}

/** Four corners, clockwise from the top left, in pixels of the upright page. */
export type Box = readonly (readonly [number, number])[];

/** Where on its page a line stands; the page's size is in the same pixels. */
export interface LinePosition {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
}

/** Text of an upload that is being read. Without `page` it is all the text so far, else that page's. */
export interface PartialText {
  readonly id: string;
  readonly type: "Upload.status";
  readonly status: "processing";
  readonly streamed_text: string;
  readonly page?: number;
  readonly page_count?: number | null;
  readonly line?: LinePosition | null;
  /** The page is finished: this is its final Markdown. */
  readonly done?: true;
}

export interface Processed {
  readonly id: string;
  readonly type: "Upload.status";
  readonly status: "processed";
  readonly raw_text: string;
  readonly processed_text: string;
}

export interface Failed {
  readonly id: string;
  readonly type: "Upload.status";
  readonly status: "error" | "cancelled";
  readonly error: string;
}

/** The last message of a reading. */
export type Finished = Processed | Failed;

export interface UploadMessage {
  readonly type: "Upload.created" | "Upload.updated" | "Upload.deleted" | "Upload.status";
  readonly instance: Instance;
  /** In the reply to a `create` alone. */
  readonly duplicate?: boolean;
}

export interface ListMessage {
  readonly type: "Upload.list";
  readonly list: readonly Instance[];
  readonly next?: string | null;
}

/** The answer to `subscribe`. The last three are there for a socket that has opted in. */
export interface Subscribed {
  readonly message: "subscribed";
  readonly model: "Upload";
  readonly instance_id: string | null;
  /** Everything after it will be told on this socket. */
  readonly cursor?: string;
  /** Asked with `since`: whether what happened after it is told; if not, a list of all uploads follows. */
  readonly recovered?: boolean;
}

export interface PageLine {
  readonly text: string;
  readonly markdown: string;
  readonly box: Box | null;
  readonly confidence: number | null;
}

/** A finished page, as REST gives it. */
export interface Page {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  readonly markdown: string;
  readonly text: string;
  readonly lines: readonly PageLine[];
  readonly warnings: readonly string[];
}

export type StreamMode = "full" | "pages" | "delta";

/** How a file is to be read; what is left out is left to the server. */
export interface ReadOptions {
  /** One of those that `ScanrillRest.engines` lists. */
  readonly engine?: string | undefined;
  /** ISO 639-1 codes; without an engine they choose one. */
  readonly languages?: readonly string[] | undefined;
  /** "3", "2-5", "1-3,7,9-". */
  readonly pages?: string | undefined;
  /** One of the engine's. */
  readonly profile?: string | undefined;
  /** "batch" where nobody waits for it: read when nothing else is to be. */
  readonly priority?: "interactive" | "batch" | undefined;
}

/** One of the first three is enough: the file, a name for it or a path of the server's machine, its SHA-256. */
export interface NewUpload extends ReadOptions {
  readonly image_base64?: string;
  readonly image_path?: string;
  readonly image_hash?: string;
}

/** What can read, as REST lists it. */
export interface Engine {
  readonly name: string;
  readonly installed: boolean;
  /** What keeps it from being used, as a sentence. */
  readonly unavailable_reason: string;
  /** None: any. */
  readonly languages: readonly string[];
  readonly profiles: readonly string[];
  readonly streams_tokens: boolean;
  readonly provides_boxes: boolean;
  /** Pages leave the server's machine. */
  readonly is_remote: boolean;
}

/** What a client may ask for over the socket; `ref` is added by the socket. */
export type Request =
  | { readonly type: "subscribe"; readonly stream?: StreamMode; readonly since?: string }
  | { readonly type: "create"; readonly data: NewUpload }
  | { readonly type: "list"; readonly status?: Status; readonly search?: string; readonly limit?: number; readonly cursor?: string }
  | { readonly type: "retrieve" | "delete" | "cancel"; readonly instance_id: string }
  | { readonly type: "retry"; readonly instance_id: string; readonly data?: ReadOptions }
  | { readonly type: "update"; readonly instance_id: string; readonly data: UploadChanges }
  | { readonly type: "ping" };

export interface UploadChanges {
  readonly filename?: string;
  /** A person's correction; null takes it back. */
  readonly processed_text?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Something that happened to one of the user's uploads. */
export type UploadEvent =
  | { readonly kind: "created" | "updated" | "deleted"; readonly instance: Instance }
  | { readonly kind: "partial"; readonly partial: PartialText }
  | { readonly kind: "finished"; readonly finished: Finished };

const TERMINAL_STATUSES: readonly Status[] = ["processed", "error", "cancelled"];

/** Whether nothing more happens to an upload of this status by itself. */
export function isTerminal(status: Status): boolean {
  return TERMINAL_STATUSES.includes(status);
}

/** Those that were given, and nothing else. */
export function definedOptions({ engine, languages, pages, profile, priority }: ReadOptions): ReadOptions {
  const options = Object.entries({ engine, languages, pages, profile, priority });
  return Object.fromEntries(options.filter(([, value]) => value !== undefined));
}

type ServerMessage = Readonly<Record<string, unknown>>;

const EVENT_KINDS = { "Upload.created": "created", "Upload.updated": "updated", "Upload.deleted": "deleted" } as const;

/** The event that a message of the server tells of, or null where it is none (or one from the future). */
export function parseEvent(message: ServerMessage): UploadEvent | null {
  const type = message["type"];
  if (typeof type !== "string") return null;
  if (type in EVENT_KINDS && typeof message["instance"] === "object") {
    return { kind: EVENT_KINDS[type as keyof typeof EVENT_KINDS], instance: message["instance"] as Instance };
  }
  if (type !== "Upload.status" || typeof message["id"] !== "string") return null;
  if (message["status"] === "processing") return { kind: "partial", partial: message as unknown as PartialText };
  return { kind: "finished", finished: message as unknown as Finished };
}
