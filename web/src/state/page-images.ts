/** Pictures of pages. They need the token, so they are fetched and shown from memory, a few of them kept. */

import { signal, type Signal } from "@preact/signals";
import { ServerUnreachable } from "scanrill-client";

import { createLruCache } from "./lru-cache.ts";
import { errorMessage } from "./error-message.ts";
import { rest } from "./api.ts";

export type PageImage =
  | { readonly kind: "loading" }
  | { readonly kind: "loaded"; readonly url: string }
  | { readonly kind: "failed"; readonly message: string };

/** What is looked at. `width` in device pixels; the server gives the next larger one that it draws. */
export interface ImageRequest {
  readonly uploadId: string;
  readonly number: number;
  readonly width: number;
}

interface CacheEntry {
  readonly request: ImageRequest;
  readonly image: Signal<PageImage>;
  /** The server was not asked yet, or did not answer. */
  needsFetch: boolean;
}

const CACHE_SIZE = 24;

const cache = createLruCache<CacheEntry>(CACHE_SIZE, ({ image: { value } }) => {
  if (value.kind === "loaded") URL.revokeObjectURL(value.url);
});

let currentRequest: ImageRequest | null = null;

/** Asks for nothing, so that it may be called while drawing; `lookAt` does. */
export function pageImage(request: ImageRequest): Signal<PageImage> {
  return cacheEntry(request).image;
}

export function requestImage(request: ImageRequest): void {
  currentRequest = request;
  retryFailed();
}

/** For what is looked at, where the server did not answer. */
export function retryFailed(): void {
  const entry = currentRequest === null ? null : cacheEntry(currentRequest);
  if (entry?.needsFetch === true) void fetchInto(entry);
}

export function clear(): void {
  currentRequest = null;
  cache.clear();
}

function cacheEntry(request: ImageRequest): CacheEntry {
  const { uploadId, number, width } = request;
  return cache.get(`${uploadId}/${number}/${width}`, () => ({ request, image: signal({ kind: "loading" }), needsFetch: true }));
}

async function fetchInto(entry: CacheEntry): Promise<void> {
  const { uploadId, number, width } = entry.request;
  entry.needsFetch = false;
  entry.image.value = { kind: "loading" };
  try {
    const url = URL.createObjectURL(await rest.pageImage(uploadId, number, width));
    entry.image.value = { kind: "loaded", url };
  } catch (error) {
    entry.image.value = { kind: "failed", message: errorMessage(error) };
    entry.needsFetch = error instanceof ServerUnreachable;
  }
}
