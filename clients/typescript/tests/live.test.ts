/** The client before a real server: requests, events, connections that break. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Backoff,
  ConnectionLost,
  RequestError,
  ScanrillRest,
  Unauthenticated,
  staticToken,
  type Instance,
} from "../src/index.ts";
import { TcpProxy, EventRecorder, base, expiredToken, scan, token } from "./support.ts";

const rest = new ScanrillRest(base, staticToken(token));
const fastBackoff = () => new Backoff({ firstMs: 20, maxMs: 50 });

async function upload(name: string): Promise<Instance> {
  return (await rest.upload(scan(name), { filename: name })).instance;
}

function finishedEvent(recorder: EventRecorder, id: string) {
  return recorder.until(({ events }) =>
    events.flatMap((event) => (event.kind === "finished" && event.finished.id === id ? [event.finished] : [])).at(0),
  );
}

test("a scan is sent, its text comes page by page, then whole", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { id } = await upload("two-pages.tif");
  const ended = await finishedEvent(recorder, id);
  assert.equal(ended.status === "processed" && ended.raw_text, "page one\n\npage two");
  const partials = recorder.events.flatMap((event) => (event.kind === "partial" && event.partial.id === id ? [event.partial] : []));
  const final = partials.filter(({ done }) => done === true).map(({ page, streamed_text }) => [page, streamed_text]);
  assert.deepEqual(final, [
    [1, "page one"],
    [2, "page two"],
  ]);
  assert.equal((await rest.page(id, 2)).lines[0]?.text, "page two");
  recorder.socket.stop();
});

test("what is refused says which field is wrong", async () => {
  const recorder = new EventRecorder();
  await assert.rejects(recorder.socket.retrieve("no-id"), (error) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual(Object.keys(error.fields), ["instance_id"]);
    return true;
  });
  await assert.rejects(rest.page(crypto.randomUUID(), 1), RequestError);
  recorder.socket.stop();
});

test("a file is read as it is asked for, and again in another way", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { instance } = await rest.upload(scan("asked.tif"), { filename: "asked.tif", pages: "2", languages: ["eng", "en"] });
  assert.deepEqual(instance.languages, ["en"]);
  const ended = await finishedEvent(recorder, instance.id);
  assert.equal(ended.status === "processed" && ended.raw_text, "page two");
  const retried = await recorder.socket.retry(instance.id, { pages: "1", engine: "dummy" });
  assert.deepEqual([retried.status, retried.languages], ["pending", ["en"]]);
  await recorder.until(({ events }) => (events.filter(({ kind }) => kind === "finished").length > 1 ? true : undefined));
  assert.equal((await recorder.socket.retrieve(instance.id)).raw_text, "page one\n\npage two");
  recorder.socket.stop();
});

test("what cannot be had is refused on its field, in each way of asking", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { id } = await upload("refused.png");
  await finishedEvent(recorder, id);
  const image_base64 = Buffer.from(await scan("refused.png").arrayBuffer()).toString("base64");
  for (const [field, value] of Object.entries({ engine: "magic", languages: ["xx"], pages: "0", profile: "none-such" })) {
    const options = { [field]: value };
    for (const refused of [
      () => rest.upload(scan("refused.png"), { filename: "refused.png", ...options }),
      () => recorder.socket.create({ image_base64, ...options }),
      () => recorder.socket.retry(id, options),
    ]) {
      await assert.rejects(refused, (error) => error instanceof RequestError && Object.keys(error.fields).join() === field);
    }
  }
  recorder.socket.stop();
});

test("the server says what can read", async () => {
  const found = await rest.engines();
  assert.equal(found.default, "dummy");
  const dummy = found.engines.find(({ name }) => name === "dummy");
  assert.deepEqual([dummy?.installed, dummy?.languages], [true, ["en"]]);
});

test("an expired token is asked for once more, and a fresh one is enough", async () => {
  const asked: (string | undefined)[] = [];
  const recorder = new EventRecorder({
    token: (rejected) => {
      asked.push(rejected);
      return Promise.resolve(rejected === undefined ? expiredToken : token);
    },
  });
  await recorder.waitConnected();
  assert.deepEqual(asked, [undefined, expiredToken]);
  recorder.socket.stop();
});

test("where no token is good any more, all ends and says so", async () => {
  const recorder = new EventRecorder({ token: staticToken(expiredToken) });
  const asked = assert.rejects(recorder.socket.list(), Unauthenticated);
  await recorder.until(({ states }) => (states.includes("rejected") ? true : undefined));
  await asked;
  await assert.rejects(recorder.socket.list(), ConnectionLost);
});

test("a cut connection comes back and goes on where it was", async () => {
  const proxy = await TcpProxy.listen();
  const recorder = new EventRecorder({ backoff: fastBackoff() }, proxy.url);
  await recorder.waitConnected();
  await upload("before.png");
  await recorder.until(({ events }) => events.find(({ kind }) => kind === "created"));
  proxy.dropConnections();
  const { id } = await upload("meanwhile.png");
  await recorder.waitConnected(2);
  assert.equal(recorder.connections[1]?.recovered, true);
  await finishedEvent(recorder, id);
  const told = recorder.events.filter((event) => event.kind === "created" && event.instance.id === id);
  assert.equal(told.length, 1);
  recorder.socket.stop();
  proxy.close();
});

test("a question that a cut leaves open is asked again, a change is not", async () => {
  const proxy = await TcpProxy.listen();
  const recorder = new EventRecorder({ backoff: fastBackoff() }, proxy.url);
  await recorder.waitConnected();
  const { id } = await upload("asked-twice.png");
  await finishedEvent(recorder, id);
  proxy.pauseTraffic();
  const question = recorder.socket.retrieve(id);
  const change = assert.rejects(recorder.socket.update(id, { filename: "other.png" }), ConnectionLost);
  proxy.dropConnections();
  assert.equal((await question).id, id);
  await change;
  assert.equal((await recorder.socket.retrieve(id)).filename, "asked-twice.png");
  recorder.socket.stop();
  proxy.close();
});

test("a server that is gone without a word is noticed", async () => {
  const proxy = await TcpProxy.listen();
  const recorder = new EventRecorder({ backoff: fastBackoff(), idleTimeoutMs: 50, pongTimeoutMs: 50 }, proxy.url);
  await recorder.waitConnected();
  proxy.pauseTraffic();
  await recorder.until(({ states }) => (states.includes("waiting") ? true : undefined));
  proxy.resumeTraffic();
  await recorder.waitConnected(2);
  recorder.socket.stop();
  proxy.close();
});

test("a server that is away is tried again until it is there", async () => {
  const proxy = await TcpProxy.listen();
  const { url } = proxy;
  proxy.close();
  const recorder = new EventRecorder({ backoff: fastBackoff() }, url);
  await recorder.until(({ states }) => (states.filter((kind) => kind === "waiting").length > 2 ? true : undefined));
  const question = assert.rejects(recorder.socket.list(), ConnectionLost);
  recorder.socket.stop();
  await question;
});
