/** Live text of uploads, with one signal per page so that only changed pages are rendered again. */

import { signal, type Signal } from "@preact/signals";
import type { LinePosition, PartialText, UploadEvent } from "scanrill-client";

/** The text of a page. `line` is the position of the newest line while the server reads the page. */
export interface PageText {
  readonly markdown: string;
  readonly line: LinePosition | null;
  readonly done: boolean;
}

/** The live text of an upload. `current` is the page that the server is reading; null before and after. */
export interface LiveText {
  readonly current: Signal<number | null>;
  readonly pages: Map<number, Signal<PageText | null>>;
}

const liveTexts = new Map<string, LiveText>();

/** Revision of each upload. It increases when an upload is read again and its earlier pages become invalid. */
export const revisions = signal<ReadonlyMap<string, number>>(new Map());

/** Return the live text of an upload; create it if necessary. */
export function liveTextOf(uploadId: string): LiveText {
  let liveText = liveTexts.get(uploadId);
  if (liveText === undefined) {
    liveText = { current: signal(null), pages: new Map() };
    liveTexts.set(uploadId, liveText);
  }
  return liveText;
}

/** Return the text of a page; null until the page has text. */
export function livePage(liveText: LiveText, number: number): Signal<PageText | null> {
  let page = liveText.pages.get(number);
  if (page === undefined) {
    page = signal(null);
    liveText.pages.set(number, page);
  }
  return page;
}

/** Return all text so far, joined in the same way as the server joins pages. */
export function currentText(uploadId: string): string {
  const pages = [...(liveTexts.get(uploadId)?.pages.entries() ?? [])].sort(([a], [b]) => a - b);
  return pages
    .map(([, page]) => page.value?.markdown ?? "")
    .filter((markdown) => markdown !== "")
    .join("\n\n");
}

export function applyEvent(event: UploadEvent): void {
  if (event.kind === "partial") applyPartial(event.partial);
  else if (event.kind === "finished") liveTextOf(event.finished.id).current.value = null;
  else if (event.kind === "deleted") liveTexts.delete(event.instance.id);
  else if (event.instance.status === "pending") reset(event.instance.id);
}

export function clear(): void {
  liveTexts.clear();
  revisions.value = new Map();
}

function applyPartial(partial: PartialText): void {
  const liveText = liveTextOf(partial.id);
  const number = partial.page ?? 1;
  const done = partial.done === true;
  livePage(liveText, number).value = { markdown: partial.streamed_text, line: done ? null : (partial.line ?? null), done };
  liveText.current.value = number;
}

/** Discard the live text of an upload and increase its revision. */
export function reset(uploadId: string): void {
  liveTexts.delete(uploadId);
  const all = new Map(revisions.value);
  revisions.value = all.set(uploadId, (all.get(uploadId) ?? 0) + 1);
}
