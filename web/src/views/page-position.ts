/** What lies on the desk, and what of it is looked at. */

import type { Signal } from "@preact/signals";
import { isTerminal, type Instance } from "scanrill-client";

export type TextView = "text" | "markdown";

/** What the two panes share. */
export interface PagePosition {
  /** That is looked at. */
  readonly page: Signal<number>;
  /** The eye goes along with the reader. */
  readonly isFollowing: Signal<boolean>;
  /** The page was turned to: the text stands at its beginning, until somebody scrolls. */
  readonly isPinned: Signal<boolean>;
}

/** How many pages there are to show: as many as were read, or are being read. */
export function shownPages(upload: Instance): number {
  const { status, page_count: count, pages_done: done } = upload;
  if (isTerminal(status)) return status === "processed" ? Math.max(count ?? 0, done) : done;
  return Math.max(done + 1, 1);
}

/** Whether the server has the page, finished. */
export function hasPage({ status, pages_done: done }: Instance, number: number): boolean {
  return status === "processed" || number <= done;
}
