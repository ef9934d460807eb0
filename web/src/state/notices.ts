/** Sentences that pass: what could not be done, what was found. */

import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly text: string;
}

const NOTICE_DURATION_MS = 8000;

export const notices = signal<readonly Notice[]>([]);

let lastId = 0;

export function showNotice(text: string): void {
  const notice = { id: ++lastId, text };
  // The same sentence twice says nothing new.
  notices.value = [...notices.value.filter((shown) => shown.text !== text), notice];
  setTimeout(() => dismiss(notice.id), NOTICE_DURATION_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
