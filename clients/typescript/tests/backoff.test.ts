/** The waits between attempts to connect. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../src/index.ts";

test("waits double up to the ceiling", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.nextMs()), [100, 200, 400, 800, 1000, 1000]);
});

test("no wait is shorter than half of its ceiling", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
  assert.deepEqual([1, 2].map(() => backoff.nextMs()), [50, 100]);
});

test("a connection that stood starts over", () => {
  const backoff = new Backoff({ firstMs: 100, random: () => 1 });
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  assert.equal(backoff.nextMs(), 100);
});
