/** The user's uploads, as far as they are loaded, and what is asked to be done with them. */

import { computed, signal } from "@preact/signals";
import { ConnectionLost, type Finished, type Instance, type ListMessage, type UploadEvent } from "scanrill-client";

import { showNotice } from "./notices.ts";
import { reset as resetLiveText } from "./live-text.ts";
import { selectedId, navigateTo } from "./route.ts";
import { errorMessage } from "./error-message.ts";
import { requireSocket } from "./api.ts";

const LIST_PAGE_SIZE = 100;

const byId = signal<ReadonlyMap<string, Instance>>(new Map());
/** Where the list goes on; null at its end, undefined while nothing is loaded. */
const nextCursor = signal<string | null | undefined>(undefined);

/** Newest first. */
export const uploads = computed(() => [...byId.value.values()].sort(newestFirst));
export const isLoaded = computed(() => nextCursor.value !== undefined);
export const hasMore = computed(() => typeof nextCursor.value === "string");
export const selected = computed(() => byId.value.get(selectedId.value ?? "") ?? null);

/** The newest of all uploads take the place of what is known. */
export function replaceAll(found: ListMessage): void {
  found.list.filter(changedWhileOffline).forEach(({ id }) => resetLiveText(id));
  byId.value = new Map(found.list.map((upload) => [upload.id, preserveTexts(upload)]));
  nextCursor.value = found.next ?? null;
}

/** After a connection that goes on from nowhere: what happened before it was not told. */
export async function load(): Promise<void> {
  try {
    replaceAll(await requireSocket().list({ limit: LIST_PAGE_SIZE }));
    await loadSelected();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) showNotice(errorMessage(error));
  }
}

export async function loadMore(): Promise<void> {
  const cursor = nextCursor.value;
  if (typeof cursor !== "string") return;
  try {
    const found = await requireSocket().list({ limit: LIST_PAGE_SIZE, cursor });
    upsert(...found.list);
    nextCursor.value = found.next ?? null;
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

/** The selected upload with its texts, also where it is older than the list goes. */
export async function loadSelected(): Promise<void> {
  const id = selectedId.value;
  if (id === null || !isLoaded.value) return;
  try {
    upsert(await requireSocket().retrieve(id));
  } catch (error) {
    if (error instanceof ConnectionLost) return;
    if (selectedId.value === id) navigateTo(null);
    showNotice("This scan is not there any more.");
  }
}

export function clear(): void {
  byId.value = new Map();
  nextCursor.value = undefined;
}

/** The reply to a file that was sent by this page. */
export function addUploaded(upload: Instance): void {
  if (!byId.value.has(upload.id)) upsert(upload);
}

export function applyEvent(event: UploadEvent): void {
  switch (event.kind) {
    case "created":
    case "updated":
      upsert(event.instance);
      break;
    case "deleted":
      removeFromList(event.instance.id);
      break;
    case "partial":
      applyProgress(event.partial.id, event.partial.page, event.partial.page_count);
      break;
    case "finished":
      applyFinished(event.finished);
      if (event.finished.id === selectedId.value) void loadSelected();
  }
}

export async function cancelReading(id: string): Promise<void> {
  await runRequest(requireSocket().cancel(id));
}

/** As it was asked for before, or with another engine. */
export async function retryUpload(id: string, engine?: string): Promise<void> {
  await runRequest(requireSocket().retry(id, { engine }));
}

export async function deleteUpload(id: string): Promise<void> {
  await runRequest(requireSocket().delete(id));
}

/** A change waits for the connection, where there is none; who asked for it is told. */
async function runRequest(request: Promise<unknown>): Promise<void> {
  if (requireSocket().state.kind !== "open") showNotice("There is no connection. It will be done when there is one again.");
  try {
    await request;
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

/** Its text may be another than the one that is shown. One that is being read is sent anew in any case. */
function changedWhileOffline({ id, status, updated_at }: Instance): boolean {
  const known = byId.value.get(id);
  return known !== undefined && known.updated_at !== updated_at && status !== "processing";
}

function upsert(...changed: Instance[]): void {
  const all = new Map(byId.value);
  for (const upload of changed) all.set(upload.id, upload.raw_text === undefined ? preserveTexts(upload) : upload);
  byId.value = all;
}

function removeFromList(id: string): void {
  const all = new Map(byId.value);
  if (!all.delete(id)) return;
  byId.value = all;
  if (selectedId.value === id) navigateTo(null);
}

function patch(id: string, changes: Partial<Instance>): void {
  const upload = byId.value.get(id);
  if (upload !== undefined) upsert({ ...upload, ...changes });
}

function applyFinished(finished: Finished): void {
  if (finished.status === "processed") {
    const { raw_text, processed_text } = finished;
    patch(finished.id, { status: "processed", error: null, raw_text, processed_text });
  } else {
    patch(finished.id, { status: finished.status, error: finished.error });
  }
}

/** Partials come ten times a second; the list changes with each page only. */
function applyProgress(id: string, page: number | undefined, pageCount: number | null | undefined): void {
  const upload = byId.value.get(id);
  if (upload === undefined) return;
  const done = Math.max(0, (page ?? 1) - 1);
  const count = pageCount ?? upload.page_count;
  if (upload.status === "processing" && upload.pages_done === done && upload.page_count === count) return;
  upsert({ ...upload, status: "processing", pages_done: done, page_count: count });
}

/** What has no texts must not take away those that are known of the same reading. */
function preserveTexts(upload: Instance): Instance {
  const known = byId.value.get(upload.id);
  if (known?.raw_text === undefined || known.updated_at !== upload.updated_at) return upload;
  return { ...upload, raw_text: known.raw_text, processed_text: known.processed_text ?? "" };
}

function newestFirst(a: Instance, b: Instance): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
