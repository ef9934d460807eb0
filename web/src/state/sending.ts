/** Files on their way to the server: a few at a time, each with its progress, each can be called back. */

import { signal } from "@preact/signals";

import { tell } from "./notices.ts";
import { show } from "./route.ts";
import { sentence } from "./sentence.ts";
import { rest } from "./server.ts";
import { visitor } from "./session.ts";
import { received } from "./uploads.ts";

export interface Sending {
  readonly id: number;
  readonly filename: string;
  readonly sent: number;
  readonly total: number;
}

const AT_ONCE = 2;

export const sendings = signal<readonly Sending[]>([]);

const waiting: (() => Promise<void>)[] = [];
const calledBack = new Map<number, AbortController>();
let underWay = 0;
let count = 0;

export function send(files: Iterable<File>): void {
  const fitting = [...files].filter(fits);
  fitting.forEach((file, index) => enqueue(file, { showIt: index === 0 }));
  pump();
}

export function callBack(id: number): void {
  calledBack.get(id)?.abort(new DOMException("called back", "AbortError"));
  done(id);
}

function fits(file: File): boolean {
  const most = visitor.value.kind === "user" ? visitor.value.me.max_upload_bytes : 0;
  if (file.size === 0) tell(`${file.name} is empty.`);
  else if (most > 0 && file.size > most) tell(`${file.name} is larger than this server takes.`);
  else return true;
  return false;
}

function enqueue(file: File, { showIt }: { showIt: boolean }): void {
  const id = ++count;
  const abort = new AbortController();
  calledBack.set(id, abort);
  sendings.value = [...sendings.value, { id, filename: file.name, sent: 0, total: file.size }];
  waiting.push(() => sendOne(id, file, abort.signal, showIt));
}

function pump(): void {
  while (underWay < AT_ONCE && waiting.length > 0) {
    underWay += 1;
    void waiting.shift()?.().finally(() => {
      underWay -= 1;
      pump();
    });
  }
}

async function sendOne(id: number, file: File, signal: AbortSignal, showIt: boolean): Promise<void> {
  if (signal.aborted) return;
  try {
    const reply = await rest.upload(file, {
      filename: file.name,
      signal,
      onProgress: (sent) => progress(id, sent),
    });
    received(reply.instance);
    if (reply.duplicate === true) tell(hereAlready(file.name, reply.instance.filename));
    if (showIt) show(reply.instance.id);
  } catch (error) {
    if (!signal.aborted) tell(`${file.name}: ${sentence(error)}`);
  } finally {
    done(id);
  }
}

function hereAlready(name: string, known: string): string {
  return name === known ? `${name} is here already.` : `${name} is here already, as ${known}.`;
}

function progress(id: number, sent: number): void {
  sendings.value = sendings.value.map((one) => (one.id === id ? { ...one, sent } : one));
}

function done(id: number): void {
  calledBack.delete(id);
  sendings.value = sendings.value.filter((one) => one.id !== id);
}
