/** Tests of `parseEvent` and `isTerminal`. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isTerminal, parseEvent } from "../src/index.ts";

const instance = { id: "7", status: "pending" };

test("parseEvent of an upload message returns kind and instance", () => {
  for (const [type, kind] of Object.entries({
    "Upload.created": "created",
    "Upload.updated": "updated",
    "Upload.deleted": "deleted",
  })) {
    assert.deepEqual(parseEvent({ type, instance }), { kind, instance });
  }
});

test("parseEvent of a status message distinguishes partial and finished by status", () => {
  const partial = { id: "7", type: "Upload.status", status: "processing", streamed_text: "so far" };
  assert.deepEqual(parseEvent(partial), { kind: "partial", partial });
  for (const status of ["processed", "error", "cancelled"]) {
    const finished = { id: "7", type: "Upload.status", status };
    assert.deepEqual(parseEvent(finished), { kind: "finished", finished });
  }
});

test("parseEvent of a reply, an error or an unknown type returns null", () => {
  assert.equal(parseEvent({ type: "Upload.status", instance }), null);
  assert.equal(parseEvent({ type: "Upload.created", error: { image_base64: "…" } }), null);
  assert.equal(parseEvent({ type: "Upload.unknown", instance }), null);
  assert.equal(parseEvent({ message: "subscribed" }), null);
});

test("isTerminal is true for processed, error and cancelled", () => {
  assert.deepEqual(["pending", "processing", "processed", "error", "cancelled"].map((status) => isTerminal(status as "error")), [
    false,
    false,
    true,
    true,
    true,
  ]);
});
