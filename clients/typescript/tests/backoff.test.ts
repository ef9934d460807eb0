/** Tests of `Backoff`. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../src/index.ts";

test("Backoff.nextMs doubles up to maxMs", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.nextMs()), [100, 200, 400, 800, 1000, 1000]);
});

test("Backoff.nextMs returns at least half of the ceiling", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
  assert.deepEqual([1, 2].map(() => backoff.nextMs()), [50, 100]);
});

test("Backoff.reset starts over with the first wait", () => {
  const backoff = new Backoff({ firstMs: 100, random: () => 1 });
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  assert.equal(backoff.nextMs(), 100);
});
