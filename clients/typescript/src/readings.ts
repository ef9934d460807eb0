/** Types of the readings of an upload. It has one for each retry with other options. */

import type { Status } from "./protocol.ts";

/** A reading, without its texts. */
export interface ReadingInfo {
  /** Number from 1, never used again for the upload. */
  readonly number: number;
  /** True for the reading that all other methods return. */
  readonly is_current: boolean;
  readonly status: Status;
  readonly error: string | null;
  readonly engine: string;
  readonly languages: readonly string[];
  readonly profile: string | null;
  readonly pages: string | null;
  readonly page_count: number | null;
  readonly pages_done: number;
  /** Mean confidence of the letters, from 0 to 1. */
  readonly confidence: number | null;
  /** Share of the words that the engine is not sure of. */
  readonly uncertain_share: number | null;
  /** Time that readers took for the pages. */
  readonly seconds: number | null;
  /** Time in ISO 8601 at which the last page was finished. */
  readonly read_at: string | null;
}

/** A reading, with the texts of its pages. */
export interface Reading extends ReadingInfo {
  readonly warnings: readonly string[];
  readonly raw_text: string;
  readonly processed_text: string;
}

/** Words that differ between two readings of a page. */
export interface WordChange {
  readonly kind: "replace" | "insert" | "delete";
  readonly first: string;
  readonly second: string;
  /** Place of the words in the text of the page, in code points. */
  readonly first_span: readonly [number, number];
  readonly second_span: readonly [number, number];
}

/** Differences of one page between two readings. Numbers are null where a reading lacks the page. */
export interface PageComparison {
  readonly number: number;
  readonly first_words: number | null;
  readonly second_words: number | null;
  /** Words to insert, delete or replace; null if the texts are too long to compare. */
  readonly differing_words: number | null;
  readonly first_confidence: number | null;
  readonly second_confidence: number | null;
  readonly first_seconds: number | null;
  readonly second_seconds: number | null;
  /** Present if the request named the page. */
  readonly changes?: readonly WordChange[];
}

/** Two readings of an upload, page by page. */
export interface ReadingComparison {
  readonly first: ReadingInfo;
  readonly second: ReadingInfo;
  readonly pages: readonly PageComparison[];
}
