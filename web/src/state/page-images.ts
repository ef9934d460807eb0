/** Cache of page images. Image requests need the access token, so the page shows object URLs instead of server URLs. */

import { signal, type Signal } from "@preact/signals";
import { ServerUnreachable } from "scanrill-client";

import { createLruCache } from "./lru-cache.ts";
import { errorMessage } from "./error-message.ts";
import { rest } from "./api.ts";

export type PageImage =
  | { readonly kind: "loading" }
  | { readonly kind: "loaded"; readonly url: string }
  | { readonly kind: "failed"; readonly message: string };

/** A page image to show. `width` is in device pixels; the server returns its next larger rendered width. */
export interface ImageRequest {
  readonly uploadId: string;
  readonly number: number;
  readonly width: number;
}

interface CacheEntry {
  readonly request: ImageRequest;
  readonly image: Signal<PageImage>;
  /** True before the first request and after a request without response. */
  needsFetch: boolean;
}

const CACHE_SIZE = 24;

const cache = createLruCache<CacheEntry>(CACHE_SIZE, ({ image: { value } }) => {
  if (value.kind === "loaded") URL.revokeObjectURL(value.url);
});

let currentRequest: ImageRequest | null = null;

/** Return the image without fetching it, which is safe during rendering. `requestImage` fetches it. */
export function pageImage(request: ImageRequest): Signal<PageImage> {
  return cacheEntry(request).image;
}

/** Make `request` the current image and fetch it if necessary. */
export function requestImage(request: ImageRequest): void {
  currentRequest = request;
  retryFailed();
}

/** Fetch the current image if the server has not responded yet. */
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
