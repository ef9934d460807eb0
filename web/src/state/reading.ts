/** The live text of what is being read, page by page: a page that changes is drawn anew, and no other. */

import { signal, type Signal } from "@preact/signals";
import type { LinePlace, PartialText, UploadEvent } from "scanrill-client";

/** What is known of a page's text. `line` is where the newest line stands, while the page is being read. */
export interface PageText {
  readonly markdown: string;
  readonly line: LinePlace | null;
  readonly done: boolean;
}

/** One upload: the page that is being read now (null before and after), and the texts that came. */
export interface Reading {
  readonly current: Signal<number | null>;
  readonly pages: Map<number, Signal<PageText | null>>;
}

const readings = new Map<string, Reading>();

/** Grows when an upload is read anew: what was shown of its pages is void. */
export const generations = signal<ReadonlyMap<string, number>>(new Map());

export function readingOf(uploadId: string): Reading {
  let reading = readings.get(uploadId);
  if (reading === undefined) {
    reading = { current: signal(null), pages: new Map() };
    readings.set(uploadId, reading);
  }
  return reading;
}

export function pageOf(reading: Reading, number: number): Signal<PageText | null> {
  let page = reading.pages.get(number);
  if (page === undefined) {
    page = signal(null);
    reading.pages.set(number, page);
  }
  return page;
}

/** All the text so far, as the server will join it. */
export function textSoFar(uploadId: string): string {
  const pages = [...(readings.get(uploadId)?.pages.entries() ?? [])].sort(([a], [b]) => a - b);
  return pages
    .map(([, page]) => page.value?.markdown ?? "")
    .filter((markdown) => markdown !== "")
    .join("\n\n");
}

export function heed(event: UploadEvent): void {
  if (event.kind === "partial") take(event.partial);
  else if (event.kind === "ended") readingOf(event.ended.id).current.value = null;
  else if (event.kind === "deleted") readings.delete(event.instance.id);
  else if (event.instance.status === "pending") startOver(event.instance.id);
}

export function clear(): void {
  readings.clear();
  generations.value = new Map();
}

function take(partial: PartialText): void {
  const reading = readingOf(partial.id);
  const number = partial.page ?? 1;
  const done = partial.done === true;
  pageOf(reading, number).value = { markdown: partial.streamed_text, line: done ? null : (partial.line ?? null), done };
  reading.current.value = number;
}

/** What is known of its text is void. */
export function startOver(uploadId: string): void {
  readings.delete(uploadId);
  const all = new Map(generations.value);
  generations.value = all.set(uploadId, (all.get(uploadId) ?? 0) + 1);
}
