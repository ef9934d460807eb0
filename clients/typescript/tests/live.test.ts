/** The client before a real server: requests, events, connections that break. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Backoff,
  ConnectionLost,
  RequestRefused,
  ScanrillRest,
  Unauthenticated,
  fixedToken,
  type Instance,
} from "../src/index.ts";
import { Cable, Heard, base, expiredToken, scan, token } from "./support.ts";

const rest = new ScanrillRest(base, fixedToken(token));
const atOnce = () => new Backoff({ firstMs: 20, mostMs: 50 });

async function sent(name: string): Promise<Instance> {
  return (await rest.upload(scan(name), { filename: name })).instance;
}

function endOf(heard: Heard, id: string) {
  return heard.until(({ events }) =>
    events.flatMap((event) => (event.kind === "ended" && event.ended.id === id ? [event.ended] : [])).at(0),
  );
}

test("a scan is sent, its text comes page by page, then whole", async () => {
  const heard = new Heard();
  await heard.connected();
  const { id } = await sent("two-pages.tif");
  const ended = await endOf(heard, id);
  assert.equal(ended.status === "processed" && ended.raw_text, "page one\n\npage two");
  const partials = heard.events.flatMap((event) => (event.kind === "partial" && event.partial.id === id ? [event.partial] : []));
  const final = partials.filter(({ done }) => done === true).map(({ page, streamed_text }) => [page, streamed_text]);
  assert.deepEqual(final, [
    [1, "page one"],
    [2, "page two"],
  ]);
  assert.equal((await rest.page(id, 2)).lines[0]?.text, "page two");
  heard.socket.stop();
});

test("what is refused says which field is wrong", async () => {
  const heard = new Heard();
  await assert.rejects(heard.socket.retrieve("no-id"), (error) => {
    assert.ok(error instanceof RequestRefused);
    assert.deepEqual(Object.keys(error.fields), ["instance_id"]);
    return true;
  });
  await assert.rejects(rest.page(crypto.randomUUID(), 1), RequestRefused);
  heard.socket.stop();
});

test("a file is read as it is asked for, and again in another way", async () => {
  const heard = new Heard();
  await heard.connected();
  const { instance } = await rest.upload(scan("asked.tif"), { filename: "asked.tif", pages: "2", languages: ["eng", "en"] });
  assert.deepEqual(instance.languages, ["en"]);
  const ended = await endOf(heard, instance.id);
  assert.equal(ended.status === "processed" && ended.raw_text, "page two");
  const again = await heard.socket.retry(instance.id, { pages: "1", engine: "dummy" });
  assert.deepEqual([again.status, again.languages], ["pending", ["en"]]);
  await heard.until(({ events }) => (events.filter(({ kind }) => kind === "ended").length > 1 ? true : undefined));
  assert.equal((await heard.socket.retrieve(instance.id)).raw_text, "page one\n\npage two");
  heard.socket.stop();
});

test("what cannot be had is refused on its field, in each way of asking", async () => {
  const heard = new Heard();
  await heard.connected();
  const { id } = await sent("refused.png");
  await endOf(heard, id);
  const image_base64 = Buffer.from(await scan("refused.png").arrayBuffer()).toString("base64");
  for (const [field, wish] of Object.entries({ engine: "magic", languages: ["xx"], pages: "0", profile: "none-such" })) {
    const wishes = { [field]: wish };
    for (const refused of [
      () => rest.upload(scan("refused.png"), { filename: "refused.png", ...wishes }),
      () => heard.socket.create({ image_base64, ...wishes }),
      () => heard.socket.retry(id, wishes),
    ]) {
      await assert.rejects(refused, (error) => error instanceof RequestRefused && Object.keys(error.fields).join() === field);
    }
  }
  heard.socket.stop();
});

test("the server says what can read", async () => {
  const found = await rest.engines();
  assert.equal(found.default, "dummy");
  const dummy = found.engines.find(({ name }) => name === "dummy");
  assert.deepEqual([dummy?.installed, dummy?.languages], [true, ["en"]]);
});

test("an expired token is asked for once more, and a fresh one is enough", async () => {
  const asked: (string | undefined)[] = [];
  const heard = new Heard({
    token: (rejected) => {
      asked.push(rejected);
      return Promise.resolve(rejected === undefined ? expiredToken : token);
    },
  });
  await heard.connected();
  assert.deepEqual(asked, [undefined, expiredToken]);
  heard.socket.stop();
});

test("where no token is good any more, all ends and says so", async () => {
  const heard = new Heard({ token: fixedToken(expiredToken) });
  const asked = assert.rejects(heard.socket.list(), Unauthenticated);
  await heard.until(({ states }) => (states.includes("refused") ? true : undefined));
  await asked;
  await assert.rejects(heard.socket.list(), ConnectionLost);
});

test("a cut connection comes back and goes on where it was", async () => {
  const cable = await Cable.laid();
  const heard = new Heard({ backoff: atOnce() }, cable.url);
  await heard.connected();
  await sent("before.png");
  await heard.until(({ events }) => events.find(({ kind }) => kind === "created"));
  cable.cut();
  const { id } = await sent("meanwhile.png");
  await heard.connected(2);
  assert.equal(heard.connections[1]?.recovered, true);
  await endOf(heard, id);
  const told = heard.events.filter((event) => event.kind === "created" && event.instance.id === id);
  assert.equal(told.length, 1);
  heard.socket.stop();
  cable.takeAway();
});

test("a question that a cut leaves open is asked again, a change is not", async () => {
  const cable = await Cable.laid();
  const heard = new Heard({ backoff: atOnce() }, cable.url);
  await heard.connected();
  const { id } = await sent("asked-twice.png");
  await endOf(heard, id);
  cable.goDeaf();
  const question = heard.socket.retrieve(id);
  const change = assert.rejects(heard.socket.update(id, { filename: "other.png" }), ConnectionLost);
  cable.cut();
  assert.equal((await question).id, id);
  await change;
  assert.equal((await heard.socket.retrieve(id)).filename, "asked-twice.png");
  heard.socket.stop();
  cable.takeAway();
});

test("a server that is gone without a word is noticed", async () => {
  const cable = await Cable.laid();
  const heard = new Heard({ backoff: atOnce(), silenceMs: 50, answerMs: 50 }, cable.url);
  await heard.connected();
  cable.goDeaf();
  await heard.until(({ states }) => (states.includes("waiting") ? true : undefined));
  cable.hearAgain();
  await heard.connected(2);
  heard.socket.stop();
  cable.takeAway();
});

test("a server that is away is tried again until it is there", async () => {
  const cable = await Cable.laid();
  const { url } = cable;
  cable.takeAway();
  const heard = new Heard({ backoff: atOnce() }, url);
  await heard.until(({ states }) => (states.filter((kind) => kind === "waiting").length > 2 ? true : undefined));
  const question = assert.rejects(heard.socket.list(), ConnectionLost);
  heard.socket.stop();
  await question;
});
