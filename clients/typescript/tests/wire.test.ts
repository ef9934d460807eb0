/** Tests without a server: the sent requests, and the errors of HTTP responses. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ConnectionLost, CookieSession, RequestError, ScanrillRest, ScanrillSocket, ServerUnreachable, staticToken } from "../src/index.ts";

/** WebSocket whose server acknowledges `subscribe` and does not reply to other messages. */
class FakeWebSocket extends EventTarget {
  static readonly messages: object[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;

  constructor() {
    super();
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const message = JSON.parse(text) as { type: string };
    if (message.type === "subscribe") this.onmessage?.({ data: '{"message": "subscribed"}' });
    else FakeWebSocket.messages.push(message);
  }

  close(): void {}
}

async function open(): Promise<ScanrillSocket> {
  globalThis.WebSocket = FakeWebSocket as unknown as typeof WebSocket;
  const socket = await new Promise<ScanrillSocket>((resolve) => {
    const created: ScanrillSocket = new ScanrillSocket({
      url: "ws://server/",
      token: staticToken("a-token"),
      listener: { onConnected: () => resolve(created) },
    });
    created.start();
  });
  return socket;
}

test("socket requests contain defined options only", async () => {
  const socket = await open();
  const requests = [
    socket.retry("7"),
    socket.retry("7", { engine: undefined }),
    socket.retry("7", { engine: "rapid", languages: ["de", "en"] }),
    socket.create({ image_base64: "…" }),
    socket.create({ image_base64: "…", pages: "1-3", profile: "fast", furniture: "keep", formulas: "vision", barcodes: false, priority: "batch" }),
  ].map((request) => assert.rejects(request));
  assert.deepEqual(FakeWebSocket.messages, [
    { type: "retry", instance_id: "7", ref: "1" },
    { type: "retry", instance_id: "7", ref: "2" },
    { type: "retry", instance_id: "7", data: { engine: "rapid", languages: ["de", "en"] }, ref: "3" },
    { type: "create", data: { image_base64: "…" }, ref: "4" },
    { type: "create", data: { image_base64: "…", pages: "1-3", profile: "fast", furniture: "keep", formulas: "vision", barcodes: false, priority: "batch" }, ref: "5" },
  ]);
  socket.stop();
  await Promise.all(requests);
});

test("rest upload sends defined options only", async () => {
  const queries: string[] = [];
  globalThis.fetch = (url) => {
    queries.push(new URL(String(url)).search);
    return Promise.resolve(new Response("{}"));
  };
  const rest = new ScanrillRest("http://server", staticToken("a-token"));
  const file = new Blob(["…"]);
  await rest.upload(file, { filename: "a.png" });
  await rest.upload(file, { filename: "a.png", engine: undefined, languages: ["de", "en"], pages: "1" });
  assert.deepEqual(queries, ["?filename=a.png", "?filename=a.png&languages=de%2Cen&pages=1"]);
});

for (const status of [502, 503, 504]) {
  test(`status ${status} of a proxy leaves the outcome of an upload unknown, not that of a read`, async () => {
    globalThis.fetch = () => Promise.resolve(new Response("<p>Bad Gateway", { status }));
    const rest = new ScanrillRest("http://server", staticToken("a-token"));
    await assert.rejects(rest.upload(new Blob(["…"]), { filename: "a.png" }), ConnectionLost);
    await assert.rejects(rest.me(), ServerUnreachable);
    await assert.rejects(new CookieSession("http://server").signIn("ada", "secret"), ServerUnreachable);
  });
}

test("status 503 with an error of scanrill is a RequestError", async () => {
  globalThis.fetch = () => Promise.resolve(new Response('{"detail": "Try again.", "code": "shutting_down", "retryable": true}', { status: 503 }));
  const rest = new ScanrillRest("http://server", staticToken("a-token"));
  await assert.rejects(
    rest.upload(new Blob(["…"]), { filename: "a.png" }),
    (error) => error instanceof RequestError && error.code === "shutting_down" && error.retryable,
  );
});

test("broken connection leaves the outcome of an upload unknown, not that of a read", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));
  const rest = new ScanrillRest("http://server", staticToken("a-token"));
  await assert.rejects(rest.upload(new Blob(["…"]), { filename: "a.png" }), ConnectionLost);
  await assert.rejects(rest.me(), ServerUnreachable);
});
