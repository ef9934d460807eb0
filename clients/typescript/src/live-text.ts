/** Live text of the pages of an upload, assembled from the parts that the mode `delta` sends. */

import type { PartialText } from "./protocol.ts";

interface PageText {
  readonly text: string;
  /** Length in code points, in which the server counts. */
  readonly length: number;
}

export class LiveText {
  readonly #pages = new Map<string, PageText>();

  /** Return the partial with the whole text of its page, or null if its part does not fit the text so far. */
  apply(partial: PartialText): PartialText | null {
    const key = `${partial.id} ${partial.page ?? 0}`;
    const { offset = 0, ...whole } = partial;
    const before = offset === 0 ? { text: "", length: 0 } : this.#pages.get(key);
    if (before?.length !== offset) return null;
    const text = before.text + partial.streamed_text;
    this.#pages.set(key, { text, length: before.length + codePoints(partial.streamed_text) });
    return { ...whole, streamed_text: text };
  }

  /** Discard the text of an upload whose reading has ended. */
  delete(id: string): void {
    for (const key of this.#pages.keys()) if (key.startsWith(`${id} `)) this.#pages.delete(key);
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
