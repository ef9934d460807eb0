/** Temporary messages at the bottom of the page. */

import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly text: string;
}

const NOTICE_DURATION_MS = 8000;

export const notices = signal<readonly Notice[]>([]);

let lastId = 0;

/** Show a message for 8 seconds. */
export function showNotice(text: string): void {
  const notice = { id: ++lastId, text };
  // A repeated message replaces its earlier copy.
  notices.value = [...notices.value.filter((shown) => shown.text !== text), notice];
  setTimeout(() => dismiss(notice.id), NOTICE_DURATION_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
