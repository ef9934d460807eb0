/** Tests of the assembly of live text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveText } from "../src/live-text.ts";
import type { PartialText } from "../src/protocol.ts";

function part(streamed_text: string, offset: number, page = 1): PartialText {
  return { id: "a", type: "Upload.status", status: "processing", streamed_text, offset, page };
}

test("apply adds parts by code points, page by page", () => {
  const live = new LiveText();
  assert.equal(live.apply(part("𝛼b", 0))?.streamed_text, "𝛼b");
  assert.equal(live.apply(part("other", 0, 2))?.streamed_text, "other");
  const partial = live.apply(part("c", 2));
  assert.equal(partial?.streamed_text, "𝛼bc");
  assert.ok(partial !== null && !("offset" in partial));
});

test("apply of a part that does not fit returns null", () => {
  const live = new LiveText();
  assert.equal(live.apply(part("c", 2)), null);
  live.apply(part("ab", 0));
  live.delete("a");
  assert.equal(live.apply(part("c", 2)), null);
  assert.equal(live.apply(part("new", 0))?.streamed_text, "new");
});
