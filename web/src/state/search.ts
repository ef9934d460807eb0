/** The search: its query, its hits, and the hit that is open. */

import { computed, effect, signal } from "@preact/signals";
import type { SearchHit, SearchResults } from "scanrill-client";

import { rest } from "./api.ts";
import { errorMessage } from "./error-message.ts";
import { navigateTo, selectedId } from "./route.ts";
import { addUploaded } from "./uploads.ts";

/** Time without a key press after which a search starts. */
const TYPING_PAUSE_MS = 200;

export const query = signal("");
export const isSearching = computed(() => query.value.trim() !== "");
/** Results of the query, or of the query before it until they are there; null before the first ones. */
export const results = signal<SearchResults | null>(null);
export const searchError = signal<string | null>(null);
/** The hit that the user opened last; null after another upload was selected. */
export const openedHit = signal<SearchHit | null>(null);

let running: AbortController | null = null;
let hasFirstHitsOnly = true;
let timer: ReturnType<typeof setTimeout> | undefined;

export function clear(): void {
  query.value = "";
  openedHit.value = null;
}

/** Select the upload of a hit, at the page of the hit. */
export function openHit(hit: SearchHit): void {
  addUploaded(hit.upload);
  openedHit.value = hit;
  navigateTo(hit.upload.id);
}

/** Load the next hits of the query. */
export async function loadMoreHits(): Promise<void> {
  const shown = results.value;
  if (shown === null || shown.next === null) return;
  const added = await fetchResults(shown.next);
  if (added === null || results.value !== shown) return;
  results.value = { ...added, hits: [...shown.hits, ...added.hits] };
  hasFirstHitsOnly = false;
}

/** Search again, since texts have changed; not once more hits are shown, which would disappear. */
export function refresh(): void {
  if (isSearching.value && hasFirstHitsOnly) searchAfterPause();
}

function searchAfterPause(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void startSearch(), TYPING_PAUSE_MS);
}

async function startSearch(): Promise<void> {
  const found = await fetchResults();
  if (found === null) return;
  results.value = found;
  hasFirstHitsOnly = true;
}

/** Return results, or null if the request failed or another one began. Sets the error of the query. */
async function fetchResults(cursor?: string): Promise<SearchResults | null> {
  running?.abort();
  const controller = (running = new AbortController());
  try {
    const found = await rest.search(query.value.trim(), { cursor, signal: controller.signal });
    if (running !== controller) return null;
    searchError.value = null;
    return found;
  } catch (error) {
    if (running === controller) searchError.value = errorMessage(error);
    return null;
  }
}

effect(() => {
  if (query.value.trim() === "") {
    clearTimeout(timer);
    running?.abort();
    running = null;
    results.value = searchError.value = null;
    return;
  }
  searchAfterPause();
});

effect(() => {
  if (openedHit.peek()?.upload.id !== selectedId.value) openedHit.value = null;
});
