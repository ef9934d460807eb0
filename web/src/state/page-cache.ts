/** Cache of finished pages with their lines, fetched on first use. */

import { signal, type Signal } from "@preact/signals";
import { RequestError, type Page } from "scanrill-client";

import { createLruCache } from "./lru-cache.ts";
import { rest } from "./api.ts";

/** Null while loading. `missing`: no such page. `unreachable`: no response; retried on use and after a reconnect. */
export type PageResult = Page | "missing" | "unreachable" | null;

interface CacheEntry {
  readonly page: Signal<PageResult>;
  readonly load: () => void;
}

const CACHE_SIZE = 300;
const cache = createLruCache<CacheEntry>(CACHE_SIZE);

/** Return a finished page and fetch it if necessary. `revision` is the upload's value in `live-text.revisions`. */
export function finishedPage(uploadId: string, revision: number, number: number): Signal<PageResult> {
  // After a retry, the same page numbers have other content.
  const key = `${uploadId}/${revision}/${number}`;
  const { page, load } = cache.get(key, () => {
    const created = signal<PageResult>("unreachable");
    return { page: created, load: () => void fetchInto(created, uploadId, number) };
  });
  if (page.peek() === "unreachable") load();
  return page;
}

/** Repeat the requests that the server did not respond to. */
export function retryFailed(): void {
  for (const { page, load } of cache.values()) if (page.peek() === "unreachable") load();
}

export function clear(): void {
  cache.clear();
}

async function fetchInto(page: Signal<PageResult>, uploadId: string, number: number): Promise<void> {
  page.value = null;
  try {
    page.value = await rest.page(uploadId, number);
  } catch (error) {
    page.value = error instanceof RequestError ? "missing" : "unreachable";
  }
}
