/** The loaded uploads of the user, and the requests that change them. */

import { computed, signal } from "@preact/signals";
import { ConnectionLost, type Finished, type Instance, type ListMessage, type ReadOptions, type UploadEvent } from "scanrill-client";

import { showNotice } from "./notices.ts";
import { reset as resetLiveText } from "./live-text.ts";
import { selectedId, navigateTo } from "./route.ts";
import { errorMessage } from "./error-message.ts";
import { requireSocket } from "./api.ts";

const LIST_PAGE_SIZE = 100;

const byId = signal<ReadonlyMap<string, Instance>>(new Map());
/** Cursor of the next part of the list; null at the end, undefined before the first part is loaded. */
const nextCursor = signal<string | null | undefined>(undefined);

/** Newest first. */
export const uploads = computed(() => [...byId.value.values()].sort(newestFirst));
export const isLoaded = computed(() => nextCursor.value !== undefined);
export const hasMore = computed(() => typeof nextCursor.value === "string");
export const selected = computed(() => byId.value.get(selectedId.value ?? "") ?? null);

/** Replace all uploads with the first part of the list. */
export function replaceAll(found: ListMessage): void {
  found.list.filter(changedWhileOffline).forEach(({ id }) => resetLiveText(id));
  byId.value = new Map(found.list.map((upload) => [upload.id, preserveTexts(upload)]));
  nextCursor.value = found.next ?? null;
}

/** Load the first part of the list, after a connection without resume and without snapshot. */
export async function load(): Promise<void> {
  try {
    replaceAll(await requireSocket().list({ limit: LIST_PAGE_SIZE }));
    await loadSelected();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) showNotice(errorMessage(error));
  }
}

/** Load the next part of the list. */
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

/** Load the selected upload with its texts, even if it is older than the loaded part of the list. */
export async function loadSelected(): Promise<void> {
  const id = selectedId.value;
  if (id === null || !isLoaded.value) return;
  try {
    upsert(await requireSocket().retrieve(id));
  } catch (error) {
    if (error instanceof ConnectionLost) return;
    if (selectedId.value === id) navigateTo(null);
    showNotice("This scan no longer exists.");
  }
}

export function clear(): void {
  byId.value = new Map();
  nextCursor.value = undefined;
}

/** Add an upload from the reply to its upload request, unless an event has added it already. */
export function addUploaded(upload: Instance): void {
  if (!byId.value.has(upload.id)) upsert(upload);
}

export function applyEvent(event: UploadEvent): void {
  switch (event.kind) {
    case "created":
    case "updated":
      if (isOtherReading(event.instance)) resetLiveText(event.instance.id);
      upsert(event.instance);
      break;
    case "deleted":
      removeFromList(event.instance.id);
      break;
    case "partial":
      applyProgress(event.partial.id, event.partial.page, event.partial.page_count);
      break;
    case "finished":
      if (event.instance !== undefined) patch(event.instance.id, event.instance);
      applyFinished(event.finished);
      if (event.finished.id === selectedId.value) void loadSelected();
  }
}

/** Cancel the reading of an upload. */
export async function cancelReading(id: string): Promise<void> {
  await runRequest(requireSocket().cancel(id));
}

/** Read an upload again; each omitted option stays as it was. */
export async function retryUpload(id: string, options: ReadOptions = {}): Promise<void> {
  await runRequest(requireSocket().retry(id, options));
}

export async function deleteUpload(id: string): Promise<void> {
  await runRequest(requireSocket().delete(id));
}

/** Wait for a request; show a notice while offline and if it fails. The socket sends it after a reconnect. */
async function runRequest(request: Promise<unknown>): Promise<void> {
  if (requireSocket().state.kind !== "open") showNotice("You are offline. This will be sent when you reconnect.");
  try {
    await request;
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

/** Return whether the pages of an upload belong to another reading than the known ones. */
function isOtherReading({ id, reading }: Instance): boolean {
  const known = byId.value.get(id);
  return known !== undefined && known.reading !== reading;
}

/** Return whether the shown text may be outdated. The server repeats the live text of uploads in progress. */
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

/** Update page counts. Partial texts arrive up to ten times a second; the list changes once per page. */
function applyProgress(id: string, page: number | undefined, pageCount: number | null | undefined): void {
  const upload = byId.value.get(id);
  if (upload === undefined) return;
  const done = Math.max(0, (page ?? 1) - 1);
  const count = pageCount ?? upload.page_count;
  if (upload.status === "processing" && upload.pages_done === done && upload.page_count === count) return;
  upsert({ ...upload, status: "processing", pages_done: done, page_count: count });
}

/** Copy known texts of the same reading into an upload without texts. */
function preserveTexts(upload: Instance): Instance {
  const known = byId.value.get(upload.id);
  if (known?.raw_text === undefined || known.updated_at !== upload.updated_at) return upload;
  return { ...upload, raw_text: known.raw_text, processed_text: known.processed_text ?? "" };
}

function newestFirst(a: Instance, b: Instance): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
