/** Types of the WebSocket messages, and pure functions that interpret them. */

export type Status = "pending" | "processing" | "processed" | "error" | "cancelled";

/** A warning about a page of an upload. `Page.warnings` has its places. */
export interface UploadWarning {
  readonly code: string;
  readonly page: number;
  readonly message: string;
}

/** An upload. `raw_text` and `processed_text` are present in replies to `retrieve` and in updates only. */
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
  /** Kind of `error` for programs, such as "unreadable_file" or "timeout". */
  readonly error_code: string | null;
  readonly page_count: number | null;
  readonly pages_done: number;
  readonly engine: string;
  readonly languages: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  /** Number of the current reading. */
  readonly reading: number;
  /** Mean confidence of the letters, from 0 to 1; null if the engine gives none. */
  readonly confidence: number | null;
  /** Share of the words that the engine is not sure of, from 0 to 1. */
  readonly uncertain_share: number | null;
  /** Warnings of the pages; `ScanrillRest.upload` and lists do not have them, `ScanrillRest.retrieve` does. */
  readonly page_warnings?: readonly UploadWarning[];
  readonly raw_text?: string;
  readonly processed_text?: string;
}

/** The four corners of a text line, clockwise from the top left, in pixels of the upright page. */
export type Box = readonly (readonly [number, number])[];

/** Start and end in a text, in code points: `Array.from(text).slice(...span).join("")`. */
export type Span = readonly [number, number];

/** The position of a line on its page. `width` and `height` are the page size, in the same pixels as `box`. */
export interface LinePosition {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
}

/** Text of an upload that the server is reading. Without `page`: all text so far; with `page`: the text of that page. */
export interface PartialText {
  readonly id: string;
  readonly type: "Upload.status";
  readonly status: "processing";
  readonly streamed_text: string;
  readonly page?: number;
  /** In the mode `delta`, the place of the text in its page, in code points. `ScanrillSocket` assembles the parts. */
  readonly offset?: number;
  readonly page_count?: number | null;
  readonly line?: LinePosition | null;
  /** Set when the page is finished; `streamed_text` is then its final Markdown. */
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

/** The last message about a reading. */
export type Finished = Processed | Failed;

export interface UploadMessage {
  readonly type: "Upload.created" | "Upload.updated" | "Upload.deleted" | "Upload.status";
  readonly instance: Instance;
  /** True if the file was uploaded before. Present in the reply to `create` only. */
  readonly duplicate?: boolean;
}

export interface ListMessage {
  readonly type: "Upload.list";
  readonly list: readonly Instance[];
  readonly next?: string | null;
  /** Number of all uploads that match; present if the request asked for it. */
  readonly total?: number;
}

/** The reply to `subscribe`. `cursor` and `recovered` are present only if the client sent `stream`. */
export interface Subscribed {
  readonly message: "subscribed";
  readonly model: "Upload";
  readonly instance_id: string | null;
  /** The position in the event log from which this socket receives events. */
  readonly cursor?: string;
  /** In reply to `since`: true if the server replays the missed events. If false, a list of all uploads follows. */
  readonly recovered?: boolean;
}

/** Part of the page that a line belongs to. Every role but "body" is page furniture. */
export type LineRole = "body" | "header" | "footer" | "page_number" | "margin" | "watermark" | "line_number";

export interface PageLine {
  readonly text: string;
  readonly markdown: string;
  readonly box: Box | null;
  readonly confidence: number | null;
  readonly role: LineRole;
  /** Start and end in `Page.markdown`, in code points; null: the line is not in it. */
  readonly span: Span | null;
  /** Words of the line, if the page was fetched with them; empty if the engine has none. */
  readonly words?: readonly Word[];
}

/** A cell of a table. Fields with their default value are left out: spans of 1, no text, no head, no lines. */
export interface TableCell {
  /** Row, from 0. */
  readonly row: number;
  /** Column, from 0. */
  readonly column: number;
  readonly row_span?: number;
  readonly column_span?: number;
  readonly text?: string;
  readonly is_header?: boolean;
  readonly box?: Box;
  /** Indices in `Page.lines`. */
  readonly lines?: readonly number[];
}

export type BlockType =
  | "heading"
  | "paragraph"
  | "list_item"
  | "table"
  | "figure"
  | "caption"
  | "formula"
  | "code"
  | "quote"
  | "footnote"
  | "page_header"
  | "page_footer"
  | "page_number"
  | "other_furniture"
  | "barcode";

/** A part of a page, in reading order. Fields that it has not are left out. */
export interface Block {
  readonly type: BlockType;
  /** Rectangle around its lines, or that of a picture. */
  readonly box?: Box;
  /** Start and end in `Page.markdown`, in code points; absent: it is left out, as page furniture is. */
  readonly span?: Span;
  /** Indices in `Page.lines`. */
  readonly lines?: readonly number[];
  /** Plain text: of a list item without its marker, of a figure its caption. */
  readonly text?: string;
  /** Level of a heading from 1, or depth of a list item from 0. */
  readonly level?: number;
  /** Marker of a list item: "-", or its number, such as "1.". */
  readonly marker?: string;
  /** State of the check box before the text. */
  readonly is_checked?: boolean;
  /** Number of rows of a table. */
  readonly rows?: number;
  /** Number of columns of a table. */
  readonly columns?: number;
  readonly cells?: readonly TableCell[];
  /** Content of a barcode. */
  readonly value?: string;
  /** Symbology of a barcode, such as "QRCode". */
  readonly format?: string;
}

/** A word of a line; of Chinese and Japanese, a character. */
export interface Word {
  readonly text: string;
  /** Four corners, clockwise from the upper left of the text; null from an engine without boxes. */
  readonly box: Box | null;
  readonly confidence: number | null;
  /** Place of the word in the text of its line, in code points (not in UTF-16 units). */
  readonly start: number;
}

/** A warning about text of a page that is missing or uncertain. */
export interface PageWarning {
  /** Code for programs; the server's reference has the table. */
  readonly code: string;
  /** Sentence for people. */
  readonly message: string;
  /** Places on the page, as the box of a line; empty for the whole page, or where it is not known. */
  readonly boxes: readonly Box[];
  /** Share of the page's print, from 0 to 1, or null. */
  readonly share: number | null;
}

/** A finished page, as the REST API returns it. */
export interface Page {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  readonly markdown: string;
  readonly text: string;
  readonly lines: readonly PageLine[];
  readonly blocks: readonly Block[];
  readonly warnings: readonly PageWarning[];
  readonly confidence: number | null;
  readonly uncertain_share: number | null;
  /** A person's text in place of `text`; null without one. */
  readonly correction: string | null;
  readonly corrected_by: string | null;
  readonly corrected_at: string | null;
}

/** What a fetched page has. */
export interface PageOptions {
  /** Whether its lines have their words. */
  readonly words?: boolean;
}

export type StreamMode = "full" | "pages" | "delta";

/** Options for reading a file. The server chooses a value for each omitted option. */
export interface ReadOptions {
  /** Name of an engine from `ScanrillRest.engines`. */
  readonly engine?: string | undefined;
  /** ISO 639-1 codes. Without `engine`, the server chooses an engine that supports them. */
  readonly languages?: readonly string[] | undefined;
  /** Page selection, for example "3", "2-5" or "1-3,7,9-". */
  readonly pages?: string | undefined;
  /** Name of a profile of the engine. */
  readonly profile?: string | undefined;
  /** "keep" leaves headers, footers and page numbers in the text; the default is "drop". */
  readonly furniture?: "drop" | "keep" | undefined;
  /** "vision" sends pages that are mostly formulas to the engine "vision"; the default is "text". */
  readonly formulas?: "text" | "vision" | undefined;
  /** Whether the blocks of each page contain its barcodes and QR codes; the default is false. */
  readonly barcodes?: boolean | undefined;
  /** "batch" is for files that no user waits for; the server reads them after all interactive ones. */
  readonly priority?: "interactive" | "batch" | undefined;
}

/** A new upload. It needs one of `image_base64`, `image_path` and `image_hash`. */
export interface NewUpload extends ReadOptions {
  /** The file, base64-encoded. */
  readonly image_base64?: string;
  /** The file name, or the path of a file on the server. */
  readonly image_path?: string;
  /** SHA-256 of the file. */
  readonly image_hash?: string;
}

/** An OCR engine, as `GET /api/engines/` lists it. */
export interface Engine {
  readonly name: string;
  readonly installed: boolean;
  /** Why the engine cannot be used, as a sentence; null if it can be used. */
  readonly unavailable_reason: string | null;
  /** ISO 639-1 codes. Empty: any language, or not known. */
  readonly languages: readonly string[];
  readonly profiles: readonly string[];
  readonly streams_tokens: boolean;
  readonly provides_boxes: boolean;
  /** Whether lines have words with boxes; missing from servers of earlier versions. */
  readonly provides_words?: boolean;
  /** True if the engine may send pages to another machine. */
  readonly is_remote: boolean;
  /** True if the engine is meant for tests. */
  readonly is_test_engine: boolean;
}

/** A request over the socket. `ScanrillSocket` adds the `ref` that pairs it with its reply. */
export type Request =
  | { readonly type: "subscribe"; readonly stream?: StreamMode; readonly since?: string }
  | { readonly type: "create"; readonly data: NewUpload }
  | ({ readonly type: "list" } & ListFilters)
  | { readonly type: "retrieve" | "delete" | "cancel" | "resync"; readonly instance_id: string }
  | { readonly type: "retry"; readonly instance_id: string; readonly data?: ReadOptions }
  | { readonly type: "update"; readonly instance_id: string; readonly data: UploadChanges }
  | { readonly type: "ping" };

/** Filters of a list of uploads. */
export interface ListFilters {
  readonly status?: Status | readonly Status[];
  readonly search?: string;
  readonly engine?: string;
  /** SHA-256 of the file, in hex. */
  readonly image_hash?: string;
  /** Limits of the time of the creation, with a time zone: "2026-01-31T09:00:00Z". */
  readonly created_after?: string;
  readonly created_before?: string;
  /** Values of keys in the metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Order; "-" puts the newest or largest first. The default is "-created". */
  readonly sort?: "created" | "-created" | "updated" | "-updated" | "filename" | "-filename" | "bytes" | "-bytes";
  /** Whether to count all uploads that match. */
  readonly total?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
  /** Code of a warning that a page of the upload has. */
  readonly warning?: string;
  /** Limits of the confidence, from 0 to 1. */
  readonly min_confidence?: number;
  readonly max_confidence?: number;
}

export interface UploadChanges {
  readonly filename?: string;
  /** Corrected text; null restores the recognized text. */
  readonly processed_text?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An event of one of the user's uploads. */
export type UploadEvent =
  | { readonly kind: "created" | "updated" | "deleted"; readonly instance: Instance }
  | { readonly kind: "partial"; readonly partial: PartialText }
  /** `instance` is the upload without its texts; absent from a server of an earlier version. */
  | { readonly kind: "finished"; readonly finished: Finished; readonly instance?: Instance };

const TERMINAL_STATUSES: readonly Status[] = ["processed", "error", "cancelled"];

/** Return whether the server has finished work on an upload with this status. */
export function isTerminal(status: Status): boolean {
  return TERMINAL_STATUSES.includes(status);
}

/** Return the options that are not undefined, without any other property. */
export function definedOptions({ engine, languages, pages, profile, furniture, formulas, barcodes, priority }: ReadOptions): ReadOptions {
  const options = Object.entries({ engine, languages, pages, profile, furniture, formulas, barcodes, priority });
  return Object.fromEntries(options.filter(([, value]) => value !== undefined));
}

type ServerMessage = Readonly<Record<string, unknown>>;

const EVENT_KINDS = { "Upload.created": "created", "Upload.updated": "updated", "Upload.deleted": "deleted" } as const;

/** Return the event that a server message describes, or null for a reply or an unknown type. */
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
