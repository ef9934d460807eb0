/** The live text of what is being read, page by page: a page that changes is drawn anew, and no other. */

import { signal, type Signal } from "@preact/signals";
import type { LinePosition, PartialText, UploadEvent } from "scanrill-client";

/** What is known of a page's text. `line` is where the newest line stands, while the page is being read. */
export interface PageText {
  readonly markdown: string;
  readonly line: LinePosition | null;
  readonly done: boolean;
}

/** One upload: the page that is being read now (null before and after), and the texts that came. */
export interface LiveText {
  readonly current: Signal<number | null>;
  readonly pages: Map<number, Signal<PageText | null>>;
}

const liveTexts = new Map<string, LiveText>();

/** Grows when an upload is read anew: what was shown of its pages is void. */
export const revisions = signal<ReadonlyMap<string, number>>(new Map());

export function liveTextOf(uploadId: string): LiveText {
  let liveText = liveTexts.get(uploadId);
  if (liveText === undefined) {
    liveText = { current: signal(null), pages: new Map() };
    liveTexts.set(uploadId, liveText);
  }
  return liveText;
}

export function livePage(liveText: LiveText, number: number): Signal<PageText | null> {
  let page = liveText.pages.get(number);
  if (page === undefined) {
    page = signal(null);
    liveText.pages.set(number, page);
  }
  return page;
}

/** All the text so far, as the server will join it. */
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

/** What is known of its text is void. */
export function reset(uploadId: string): void {
  liveTexts.delete(uploadId);
  const all = new Map(revisions.value);
  revisions.value = all.set(uploadId, (all.get(uploadId) ?? 0) + 1);
}
