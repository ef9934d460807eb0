/** Queue of events for one `for await` loop. */

import type { UploadEvent } from "./protocol.ts";

export class EventQueue implements AsyncIterable<UploadEvent> {
  #events: UploadEvent[] = [];
  #end: { readonly error: Error | undefined } | null = null;
  #wake: () => void = () => {};

  push(event: UploadEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** End the iteration after the waiting events, or throw the error there. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<UploadEvent, void> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#end !== null) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}
