/** The user's uploads, as far as they are loaded, and what is asked to be done with them. */

import { computed, signal } from "@preact/signals";
import { ConnectionLost, type Ended, type Instance, type ListMessage, type UploadEvent } from "scanrill-client";

import { tell } from "./notices.ts";
import { startOver } from "./reading.ts";
import { selectedId, show } from "./route.ts";
import { sentence } from "./sentence.ts";
import { live } from "./server.ts";

const LOADED_AT_ONCE = 100;

const byId = signal<ReadonlyMap<string, Instance>>(new Map());
/** Where the list goes on; null at its end, undefined while nothing is loaded. */
const next = signal<string | null | undefined>(undefined);

/** Newest first. */
export const uploads = computed(() => [...byId.value.values()].sort(newestFirst));
export const loaded = computed(() => next.value !== undefined);
export const hasMore = computed(() => typeof next.value === "string");
export const selected = computed(() => byId.value.get(selectedId.value ?? "") ?? null);

/** The newest of all uploads take the place of what is known. */
export function take(found: ListMessage): void {
  found.list.filter(changedUnseen).forEach(({ id }) => startOver(id));
  byId.value = new Map(found.list.map((upload) => [upload.id, keepTexts(upload)]));
  next.value = found.next ?? null;
}

/** After a connection that goes on from nowhere: what happened before it was not told. */
export async function load(): Promise<void> {
  try {
    take(await live().list({ limit: LOADED_AT_ONCE }));
    await loadSelected();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) tell(sentence(error));
  }
}

export async function loadMore(): Promise<void> {
  const cursor = next.value;
  if (typeof cursor !== "string") return;
  try {
    const found = await live().list({ limit: LOADED_AT_ONCE, cursor });
    put(...found.list);
    next.value = found.next ?? null;
  } catch (error) {
    tell(sentence(error));
  }
}

/** The selected upload with its texts, also where it is older than the list goes. */
export async function loadSelected(): Promise<void> {
  const id = selectedId.value;
  if (id === null || !loaded.value) return;
  try {
    put(await live().retrieve(id));
  } catch (error) {
    if (error instanceof ConnectionLost) return;
    if (selectedId.value === id) show(null);
    tell("This scan is not there any more.");
  }
}

export function clear(): void {
  byId.value = new Map();
  next.value = undefined;
}

/** The reply to a file that was sent by this page. */
export function received(upload: Instance): void {
  if (!byId.value.has(upload.id)) put(upload);
}

export function heed(event: UploadEvent): void {
  switch (event.kind) {
    case "created":
    case "updated":
      put(event.instance);
      break;
    case "deleted":
      forget(event.instance.id);
      break;
    case "partial":
      progress(event.partial.id, event.partial.page, event.partial.page_count);
      break;
    case "ended":
      end(event.ended);
      if (event.ended.id === selectedId.value) void loadSelected();
  }
}

export async function cancel(id: string): Promise<void> {
  await attempt(live().cancel(id));
}

/** As it was asked for before, or with another engine. */
export async function readAgain(id: string, engine?: string): Promise<void> {
  await attempt(live().retry(id, { engine }));
}

export async function remove(id: string): Promise<void> {
  await attempt(live().delete(id));
}

/** A change waits for the connection, where there is none; who asked for it is told. */
async function attempt(request: Promise<unknown>): Promise<void> {
  if (live().state.kind !== "open") tell("There is no connection. It will be done when there is one again.");
  try {
    await request;
  } catch (error) {
    tell(sentence(error));
  }
}

/** Its text may be another than the one that is shown. One that is being read is sent anew in any case. */
function changedUnseen({ id, status, updated_at }: Instance): boolean {
  const known = byId.value.get(id);
  return known !== undefined && known.updated_at !== updated_at && status !== "processing";
}

function put(...changed: Instance[]): void {
  const all = new Map(byId.value);
  for (const upload of changed) all.set(upload.id, upload.raw_text === undefined ? keepTexts(upload) : upload);
  byId.value = all;
}

function forget(id: string): void {
  const all = new Map(byId.value);
  if (!all.delete(id)) return;
  byId.value = all;
  if (selectedId.value === id) show(null);
}

function change(id: string, changes: Partial<Instance>): void {
  const upload = byId.value.get(id);
  if (upload !== undefined) put({ ...upload, ...changes });
}

function end(ended: Ended): void {
  if (ended.status === "processed") {
    const { raw_text, processed_text } = ended;
    change(ended.id, { status: "processed", error: null, raw_text, processed_text });
  } else {
    change(ended.id, { status: ended.status, error: ended.error });
  }
}

/** Partials come ten times a second; the list changes with each page only. */
function progress(id: string, page: number | undefined, pageCount: number | null | undefined): void {
  const upload = byId.value.get(id);
  if (upload === undefined) return;
  const done = Math.max(0, (page ?? 1) - 1);
  const count = pageCount ?? upload.page_count;
  if (upload.status === "processing" && upload.pages_done === done && upload.page_count === count) return;
  put({ ...upload, status: "processing", pages_done: done, page_count: count });
}

/** What has no texts must not take away those that are known of the same reading. */
function keepTexts(upload: Instance): Instance {
  const known = byId.value.get(upload.id);
  if (known?.raw_text === undefined || known.updated_at !== upload.updated_at) return upload;
  return { ...upload, raw_text: known.raw_text, processed_text: known.processed_text ?? "" };
}

function newestFirst(a: Instance, b: Instance): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
