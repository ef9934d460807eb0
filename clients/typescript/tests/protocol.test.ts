/** Which event a message tells of. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventOf, hasEnded } from "../src/index.ts";

const instance = { id: "7", status: "pending" };

test("changes of an upload are events with its state", () => {
  for (const [type, kind] of Object.entries({
    "Upload.created": "created",
    "Upload.updated": "updated",
    "Upload.deleted": "deleted",
  })) {
    assert.deepEqual(eventOf({ type, instance }), { kind, instance });
  }
});

test("text that grows and text that is whole are told apart by status", () => {
  const partial = { id: "7", type: "Upload.status", status: "processing", streamed_text: "so far" };
  assert.deepEqual(eventOf(partial), { kind: "partial", partial });
  for (const status of ["processed", "error", "cancelled"]) {
    const ended = { id: "7", type: "Upload.status", status };
    assert.deepEqual(eventOf(ended), { kind: "ended", ended });
  }
});

test("the reply to a retrieve, a refusal and what is not known yet are no events", () => {
  assert.equal(eventOf({ type: "Upload.status", instance }), null);
  assert.equal(eventOf({ type: "Upload.created", error: { image_base64: "…" } }), null);
  assert.equal(eventOf({ type: "Upload.folded", instance }), null);
  assert.equal(eventOf({ message: "subscribed" }), null);
});

test("nothing more happens to what has ended", () => {
  assert.deepEqual(["pending", "processing", "processed", "error", "cancelled"].map((status) => hasEnded(status as "error")), [
    false,
    false,
    true,
    true,
    true,
  ]);
});
