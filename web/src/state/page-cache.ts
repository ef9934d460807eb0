/** Finished pages with their lines, fetched when they are looked at. */

import { signal, type Signal } from "@preact/signals";
import { RequestError, type Page } from "scanrill-client";

import { createLruCache } from "./lru-cache.ts";
import { rest } from "./api.ts";

/** `missing`: the server has no such page; `away`: it did not answer; looking again asks again, and so does its coming back. */
export type PageResult = Page | "missing" | "unreachable" | null;

interface CacheEntry {
  readonly page: Signal<PageResult>;
  readonly load: () => void;
}

const CACHE_SIZE = 300;
const cache = createLruCache<CacheEntry>(CACHE_SIZE);

/** Asks for the page where it is not there yet; `generation` is that of `reading.generations`. */
export function finishedPage(uploadId: string, revision: number, number: number): Signal<PageResult> {
  // An upload that is read anew has other pages under the same numbers.
  const key = `${uploadId}/${revision}/${number}`;
  const { page, load } = cache.get(key, () => {
    const created = signal<PageResult>("unreachable");
    return { page: created, load: () => void fetchInto(created, uploadId, number) };
  });
  if (page.peek() === "unreachable") load();
  return page;
}

/** The server answers again: what it did not answer is asked anew. */
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
