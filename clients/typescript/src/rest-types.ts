/** Requests and responses of the REST API beside those of the WebSocket. */

import type { Engine, ReadOptions } from "./protocol.ts";

/** The signed-in user and the limits that apply. */
export interface Me {
  readonly username: string;
  /** Largest accepted file, in bytes; 0 means unlimited. */
  readonly max_upload_bytes: number;
  readonly version: string;
}

export interface Engines {
  readonly engines: readonly Engine[];
  /** Name of the engine that reads an upload without `engine` option. */
  readonly default: string;
}

/** A sign-in of the user that has not ended. */
export interface Session {
  readonly id: string;
  /** Time in ISO 8601. */
  readonly created_at: string;
  readonly last_used_at: string;
  /** Network address of the browser or program at `last_used_at`. */
  readonly address: string;
  readonly user_agent: string;
  /** Whether the token of this client belongs to it. */
  readonly current: boolean;
}

export type ExportFormat = "md" | "txt" | "json" | "html" | "docx" | "hocr" | "alto" | "csv" | "xlsx" | "pdf";

/** Options of an export. The server chooses those that are absent. */
export interface ExportOptions {
  /** Default: `md`. */
  readonly format?: ExportFormat;
  /** Page ranges, for example `1-3,7,9-`. */
  readonly pages?: string;
  /** Headers, footers and page numbers. Default: as they were read. */
  readonly furniture?: "drop" | "keep";
  /** Pictures of figures. Default: `none`. */
  readonly images?: "none" | "link" | "embed";
  /** Whether `md` and `txt` mark the beginning of each page. */
  readonly page_breaks?: boolean;
  /** Number of the only table of a `csv`, from 1; without it, a ZIP archive has all tables. */
  readonly table?: number;
}

/** What the server does with a file that the user has: return its text, read it again, or throw `RequestError`. */
export type OnDuplicate = "existing" | "reread" | "error";

export interface UploadOptions extends ReadOptions {
  readonly filename: string;
  /** JSON object of the caller, kept with the upload. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default: `reread` if an option differs from those of the earlier upload. */
  readonly on_duplicate?: OnDuplicate;
  /** Receives the sent and the total number of bytes. Called in browsers only. */
  readonly onProgress?: (sent: number, total: number) => void;
  readonly signal?: AbortSignal;
}
