/** How long to wait before the next attempt: longer each time, and never the same for all clients at once. */

export interface BackoffOptions {
  /** The first wait lies between half of this and this, in milliseconds. */
  readonly firstMs?: number;
  readonly maxMs?: number;
  readonly random?: () => number;
}

/**
 * Doubles up to a ceiling; each wait is drawn between half of it and all of it. After a restart of the server
 * a thousand clients come back over a span of time and not in one instant.
 */
export class Backoff {
  #attempts = 0;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;

  constructor({ firstMs = 500, maxMs = 30_000, random = Math.random }: BackoffOptions = {}) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** Attempts since the last `reset`. */
  get attempts(): number {
    return this.#attempts;
  }

  nextMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return ceiling * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
