/** Finished pages with their lines, fetched when they are looked at. */

import { signal, type Signal } from "@preact/signals";
import { RequestRefused, type Page } from "scanrill-client";

import { leastRecent } from "./recent.ts";
import { rest } from "./server.ts";

/** `missing`: the server has no such page; `away`: it did not answer, and looking again asks again. */
export type Fetched = Page | "missing" | "away" | null;

const MOST_KEPT = 300;
const kept = leastRecent<Signal<Fetched>>(MOST_KEPT);

/** Asks for the page where it is not there yet; `generation` is that of `reading.generations`. */
export function finishedPage(uploadId: string, generation: number, number: number): Signal<Fetched> {
  // An upload that is read anew has other pages under the same numbers.
  const key = `${uploadId}/${generation}/${number}`;
  const page = kept.get(key, () => signal<Fetched>("away"));
  if (page.peek() === "away") void fetchInto(page, uploadId, number);
  return page;
}

export function clear(): void {
  kept.clear();
}

async function fetchInto(page: Signal<Fetched>, uploadId: string, number: number): Promise<void> {
  page.value = null;
  try {
    page.value = await rest.page(uploadId, number);
  } catch (error) {
    page.value = error instanceof RequestRefused ? "missing" : "away";
  }
}
