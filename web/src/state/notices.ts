/** Sentences that pass: what could not be done, what was found. */

import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly text: string;
}

const SHOWN_MS = 8000;

export const notices = signal<readonly Notice[]>([]);

let count = 0;

export function tell(text: string): void {
  const notice = { id: ++count, text };
  // The same sentence twice says nothing new.
  notices.value = [...notices.value.filter((known) => known.text !== text), notice];
  setTimeout(() => dismiss(notice.id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
