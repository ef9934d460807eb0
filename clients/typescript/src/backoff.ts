/** Exponential backoff with jitter for reconnect attempts. */

export interface BackoffOptions {
  /** Ceiling of the first wait, in milliseconds. */
  readonly firstMs?: number;
  /** Ceiling of every wait, in milliseconds. */
  readonly maxMs?: number;
  /** Source of the jitter, from 0 (inclusive) to 1 (exclusive). */
  readonly random?: () => number;
}

/**
 * Wait times that double up to `maxMs`.
 *
 * Each wait is random, between half of its ceiling and the ceiling. The jitter spreads the reconnects of many
 * clients after a restart of the server.
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

  /** The number of waits since the last `reset`. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Return the next wait, in milliseconds, and count one attempt. */
  nextMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return ceiling * (0.5 + this.#random() / 2);
  }

  /** Start over with the first wait, after a successful connection. */
  reset(): void {
    this.#attempts = 0;
  }
}
