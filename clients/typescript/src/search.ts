/** Response of the search. */

import type { Box, Instance } from "./protocol.ts";

/** Start and end of a word in a text, in code points (not UTF-16 units). */
export type Mark = readonly [number, number];

/** Part of a text around the words of the search. */
export interface Snippet {
  readonly text: string;
  readonly marks: readonly Mark[];
}

/** Line of a page with words of the search. */
export interface SearchLine {
  /** Number of the line in the lines of the page, from 0. */
  readonly line: number;
  readonly text: string;
  readonly marks: readonly Mark[];
  /** Corners of each of these words, or of the line if the places of its words are not known. */
  readonly boxes: readonly Box[];
}

/** Page, file name or correction that the search found. Only a page has number, size and lines. */
export interface SearchHit {
  readonly upload: Instance;
  readonly field: "page" | "filename" | "correction";
  readonly snippet: Snippet;
  readonly page: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly lines: readonly SearchLine[];
}

export interface SearchResults {
  /** Best first. */
  readonly hits: readonly SearchHit[];
  /** Cursor of the next hits; null at the end. */
  readonly next: string | null;
  /** False while the server still indexes texts of the user after an upgrade. */
  readonly complete: boolean;
}

export interface SearchOptions {
  /** Maximum number of hits, up to 100; 20 if omitted. */
  readonly limit?: number | undefined;
  /** `next` of the previous results. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
