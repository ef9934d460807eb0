/** Position in an upload that the image pane and the text pane share. */

import type { Signal } from "@preact/signals";
import { isTerminal, type Instance } from "scanrill-client";

export type TextView = "text" | "markdown";

/** The current page and how it follows a reading. */
export interface PagePosition {
  /** Number of the current page. */
  readonly page: Signal<number>;
  /** True while the panes scroll along with the reading. */
  readonly isFollowing: Signal<boolean>;
  /** True from selecting a page in the pager until the user scrolls; the text stays at the start of that page. */
  readonly isPinned: Signal<boolean>;
}

/** Return the number of pages to show: the finished pages and the page that the server is reading. */
export function shownPages(upload: Instance): number {
  const { status, page_count: count, pages_done: done } = upload;
  if (isTerminal(status)) return status === "processed" ? Math.max(count ?? 0, done) : done;
  return Math.max(done + 1, 1);
}

/** Return whether the server has finished the page. */
export function hasPage({ status, pages_done: done }: Instance, number: number): boolean {
  return status === "processed" || number <= done;
}
