/** Which event a message tells of. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseEvent, isTerminal } from "../src/index.ts";

const instance = { id: "7", status: "pending" };

test("changes of an upload are events with its state", () => {
  for (const [type, kind] of Object.entries({
    "Upload.created": "created",
    "Upload.updated": "updated",
    "Upload.deleted": "deleted",
  })) {
    assert.deepEqual(parseEvent({ type, instance }), { kind, instance });
  }
});

test("text that grows and text that is whole are told apart by status", () => {
  const partial = { id: "7", type: "Upload.status", status: "processing", streamed_text: "so far" };
  assert.deepEqual(parseEvent(partial), { kind: "partial", partial });
  for (const status of ["processed", "error", "cancelled"]) {
    const finished = { id: "7", type: "Upload.status", status };
    assert.deepEqual(parseEvent(finished), { kind: "finished", finished });
  }
});

test("the reply to a retrieve, a refusal and what is not known yet are no events", () => {
  assert.equal(parseEvent({ type: "Upload.status", instance }), null);
  assert.equal(parseEvent({ type: "Upload.created", error: { image_base64: "…" } }), null);
  assert.equal(parseEvent({ type: "Upload.folded", instance }), null);
  assert.equal(parseEvent({ message: "subscribed" }), null);
});

test("nothing more happens to what has ended", () => {
  assert.deepEqual(["pending", "processing", "processed", "error", "cancelled"].map((status) => isTerminal(status as "error")), [
    false,
    false,
    true,
    true,
    true,
  ]);
});
