/** Tests of the client with a real server: requests, events and broken connections. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Backoff,
  ConnectionLost,
  RequestError,
  ScanrillRest,
  ScanrillSocket,
  Unauthenticated,
  socketUrl,
  staticToken,
  type Instance,
  type UploadEvent,
} from "../src/index.ts";
import { EventRecorder, TcpProxy, base, expiredToken, scan, token } from "./support.ts";

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

test("upload reports partial text per page, then the whole text", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { id } = await upload("two-pages.tif");
  const finished = await finishedEvent(recorder, id);
  assert.equal(finished.status === "processed" && finished.raw_text, "page one\n\npage two");
  const partials = recorder.events.flatMap((event) => (event.kind === "partial" && event.partial.id === id ? [event.partial] : []));
  const finalPages = partials.filter(({ done }) => done === true).map(({ page, streamed_text }) => [page, streamed_text]);
  assert.deepEqual(finalPages, [
    [1, "page one"],
    [2, "page two"],
  ]);
  assert.equal(await (await rest.export(id, { format: "txt", pages: "2", page_breaks: true })).text(), "page two\n");
  const archive = await (await rest.exportMany([id], { format: "md" })).arrayBuffer();
  assert.equal(new TextDecoder().decode(archive.slice(0, 2)), "PK");
  await assert.rejects(rest.export(id, { table: 1 }), (error) => error instanceof RequestError && error.status === 400);
  const [line] = (await rest.page(id, 2)).lines;
  assert.equal(line?.text, "page two");
  assert.equal(line?.words, undefined);
  const [withWords] = (await rest.page(id, 2, undefined, { words: true })).lines;
  assert.deepEqual(
    withWords?.words?.map(({ text, start, confidence }) => [text, start, confidence]),
    [
      ["page", 0, 1],
      ["two", 5, 1],
    ],
  );
  recorder.socket.stop();
});

test("sessions are listed, and an unknown one cannot be ended", async () => {
  assert.deepEqual(await rest.sessions(), [], "the token of this test belongs to no session");
  await assert.rejects(rest.endSession(crypto.randomUUID()), (error) => error instanceof RequestError && error.status === 404);
});

test("an API key is created, listed, used and revoked", async () => {
  const created = await rest.createApiKey({ name: "hall", scope: "read", expires_in_days: 7 });
  const withKey = new ScanrillRest(base, staticToken(created.key));
  assert.equal((await withKey.me()).username, (await rest.me()).username);
  await assert.rejects(withKey.apiKeys(), (error) => error instanceof RequestError && error.status === 403);
  const [listed] = await rest.apiKeys();
  assert.deepEqual([listed?.name, listed?.prefix, listed?.scope], ["hall", created.key.slice(0, 12), "read"]);
  await rest.revokeApiKey(created.id);
  assert.deepEqual(await rest.apiKeys(), []);
  await assert.rejects(rest.revokeApiKey(created.id), (error) => error instanceof RequestError && error.status === 404);
});

test("RequestError names the invalid field", async () => {
  const recorder = new EventRecorder();
  await assert.rejects(recorder.socket.retrieve("no-id"), (error) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual(Object.keys(error.fields), ["instance_id"]);
    return true;
  });
  await assert.rejects(rest.page(crypto.randomUUID(), 1), RequestError);
  recorder.socket.stop();
});

test("upload applies read options, and retry changes them", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { instance } = await rest.upload(scan("options.tif"), { filename: "options.tif", pages: "2", languages: ["eng", "en"] });
  assert.deepEqual(instance.languages, ["en"]);
  const finished = await finishedEvent(recorder, instance.id);
  assert.equal(finished.status === "processed" && finished.raw_text, "page two");
  const retried = await recorder.socket.retry(instance.id, { pages: "1", engine: "dummy" });
  assert.deepEqual([retried.status, retried.languages], ["pending", ["en"]]);
  await recorder.until(({ events }) => (events.filter(({ kind }) => kind === "finished").length > 1 ? true : undefined));
  assert.equal((await recorder.socket.retrieve(instance.id)).raw_text, "page one\n\npage two");
  recorder.socket.stop();
});

test("readings are listed, compared, exchanged and deleted; a correction belongs to a page", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { id } = await upload("readings.tif");
  await finishedEvent(recorder, id);
  await recorder.socket.retry(id);
  await recorder.until(({ events }) => (events.filter(({ kind }) => kind === "finished").length > 1 ? true : undefined));
  assert.deepEqual(
    (await rest.readings(id)).map(({ number, is_current }) => [number, is_current]),
    [
      [2, true],
      [1, false],
    ],
  );
  assert.equal((await rest.reading(id, 1)).raw_text, "page one\n\npage two");
  assert.equal((await rest.readingPage(id, 1, 2)).text, "page two");
  const { pages } = await rest.compareReadings(id, 1, 2, 2);
  assert.deepEqual([pages[0]?.differing_words, pages[0]?.changes], [0, []]);
  assert.equal((await rest.compareReadings(id, 1, 2)).pages.length, 2);
  assert.equal((await rest.makeReadingCurrent(id, 1)).reading, 1);
  await rest.deleteReading(id, 2);
  assert.equal((await rest.readings(id)).length, 1);
  assert.equal((await rest.correctPage(id, 2, "page 2")).correction, "page 2");
  const { processed_text, page_warnings } = await rest.retrieve(id);
  assert.deepEqual([processed_text, page_warnings], ["page one\n\npage 2", []]);
  const { list } = await recorder.socket.list({ min_confidence: 0.5, max_confidence: 1 });
  assert.ok(list.some((each) => each.id === id));
  assert.deepEqual((await recorder.socket.list({ warning: "small-print" })).list, []);
  recorder.socket.stop();
});

test("invalid read options are rejected by upload, create and retry", async () => {
  const recorder = new EventRecorder();
  await recorder.waitConnected();
  const { id } = await upload("rejected.png");
  await finishedEvent(recorder, id);
  const image_base64 = Buffer.from(await scan("rejected.png").arrayBuffer()).toString("base64");
  for (const [field, value] of Object.entries({ engine: "magic", languages: ["xx"], pages: "0", profile: "none-such", furniture: "some", formulas: "some", barcodes: "some" })) {
    const options = { [field]: value };
    for (const send of [
      () => rest.upload(scan("rejected.png"), { filename: "rejected.png", ...options }),
      () => recorder.socket.create({ image_base64, ...options }),
      () => recorder.socket.retry(id, options),
    ]) {
      await assert.rejects(send, (error) => error instanceof RequestError && Object.keys(error.fields).join() === field);
    }
  }
  recorder.socket.stop();
});

test("search finds a name, and refuses a query without words", async () => {
  const instance = await upload("haystack.png");
  const { hits, next } = await rest.search("name:haystack", { limit: 1 });
  assert.deepEqual([hits[0]?.upload.id, hits[0]?.field, hits[0]?.snippet.marks], [instance.id, "filename", [[0, 8]]]);
  assert.equal(next, null);
  await assert.rejects(rest.search("&"), (error) => error instanceof RequestError && "q" in error.fields);
});

test("engines lists the engines of the server", async () => {
  const found = await rest.engines();
  assert.equal(found.default, "dummy");
  const dummy = found.engines.find(({ name }) => name === "dummy");
  assert.deepEqual([dummy?.installed, dummy?.languages], [true, ["en"]]);
});

test("expired token is renewed once on connect", async () => {
  const rejectedTokens: (string | undefined)[] = [];
  const recorder = new EventRecorder({
    token: (rejected) => {
      rejectedTokens.push(rejected);
      return Promise.resolve(rejected === undefined ? expiredToken : token);
    },
  });
  await recorder.waitConnected();
  assert.deepEqual(rejectedTokens, [undefined, expiredToken]);
  recorder.socket.stop();
});

test("token source without a valid token ends in state rejected", async () => {
  const recorder = new EventRecorder({ token: staticToken(expiredToken) });
  const listing = assert.rejects(recorder.socket.list(), Unauthenticated);
  await recorder.until(({ states }) => (states.includes("rejected") ? true : undefined));
  await listing;
  await assert.rejects(recorder.socket.list(), ConnectionLost);
});

test("dropped connection reconnects and resumes without duplicate events", async () => {
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
  const created = recorder.events.filter((event) => event.kind === "created" && event.instance.id === id);
  assert.equal(created.length, 1);
  recorder.socket.stop();
  proxy.close();
});

test("interrupted retrieve is repeated, interrupted update is rejected", async () => {
  const proxy = await TcpProxy.listen();
  const recorder = new EventRecorder({ backoff: fastBackoff() }, proxy.url);
  await recorder.waitConnected();
  const { id } = await upload("interrupted.png");
  await finishedEvent(recorder, id);
  proxy.pauseTraffic();
  const reading = recorder.socket.retrieve(id);
  const change = assert.rejects(recorder.socket.update(id, { filename: "other.png" }), ConnectionLost);
  proxy.dropConnections();
  assert.equal((await reading).id, id);
  await change;
  assert.equal((await recorder.socket.retrieve(id)).filename, "interrupted.png");
  recorder.socket.stop();
  proxy.close();
});

test("idle timeout reconnects when the server is silent", async () => {
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

test("unreachable server is retried until stop", async () => {
  const proxy = await TcpProxy.listen();
  const { url } = proxy;
  proxy.close();
  const recorder = new EventRecorder({ backoff: fastBackoff() }, url);
  await recorder.until(({ states }) => (states.filter((kind) => kind === "waiting").length > 2 ? true : undefined));
  const reading = assert.rejects(recorder.socket.list(), ConnectionLost);
  recorder.socket.stop();
  await reading;
});

test("read returns the text, and lists, changes and deletes uploads over REST", async () => {
  assert.equal(await rest.read(scan("rest.png"), { filename: "rest.png", metadata: { box: "7" } }), "over REST");
  const uploads: Instance[] = [];
  for await (const upload of rest.listAll({ limit: 1, search: "rest.png", metadata: { box: "7" } })) uploads.push(upload);
  assert.deepEqual(uploads.map(({ filename, metadata }) => [filename, metadata]), [["rest.png", { box: "7" }]]);
  const [{ id }] = uploads as [Instance];
  assert.equal((await rest.update(id, { filename: "renamed.png" })).filename, "renamed.png");
  assert.equal((await rest.retry(id, { priority: "batch" })).status, "pending");
  assert.equal((await rest.wait(id)).status, "processed");
  await assert.rejects(rest.cancel(id), (error) => error instanceof RequestError && error.code !== "");
  assert.equal((await rest.delete(id)).id, id);
  await assert.rejects(rest.retrieve(id), (error) => error instanceof RequestError && error.status === 404);
});

test("keys are created, listed and revoked", async () => {
  const { id, key } = await rest.createApiKey({ name: "test", scope: "read" });
  assert.ok(key);
  assert.equal(typeof (await new ScanrillRest(base, staticToken(key)).me()).username, "string");
  assert.equal((await rest.apiKeys()).find((each) => each.id === id)?.scope, "read");
  await rest.revokeApiKey(id);
  assert.ok(!(await rest.apiKeys()).some((each) => each.id === id));
});

test("events of a socket in mode delta have whole pages, and own changes come once", async () => {
  const socket = new ScanrillSocket({ url: socketUrl(`${base}/`), token: staticToken(token), stream: "delta" });
  const events = socket.events();
  const first = events.next();
  await socket.request({ type: "ping" });
  const { instance } = await rest.upload(scan("delta.png"), { filename: "delta.png" });
  const kinds: string[] = [];
  const partials: string[] = [];
  const seen = async (event: UploadEvent): Promise<void> => {
    if (event.kind !== "partial" && event.kind !== "finished" && event.instance.id === instance.id) kinds.push(event.kind);
    if (event.kind === "partial" && event.partial.id === instance.id) partials.push(event.partial.streamed_text);
    if (event.kind === "finished" && event.finished.id === instance.id) {
      await socket.update(instance.id, { filename: "named.png" });
      await socket.delete(instance.id);
    }
    if (event.kind === "deleted" && event.instance.id === instance.id) socket.stop();
  };
  await seen((await first).value as UploadEvent);
  for await (const event of events) await seen(event);
  assert.deepEqual(kinds.filter((kind) => kind !== "created"), ["updated", "deleted"]);
  assert.equal(partials.at(-1), "𝛼 first\n\nsecond");
  for (const text of partials) assert.ok("𝛼 first\n\nsecond".startsWith(text.trim().split("\n")[0] ?? ""));
});
