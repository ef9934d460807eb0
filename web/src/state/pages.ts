/** Finished pages with their lines, fetched when they are looked at. */

import { signal, type Signal } from "@preact/signals";
import { RequestRefused, type Page } from "scanrill-client";

import { leastRecent } from "./recent.ts";
import { rest } from "./server.ts";

/** `missing`: the server has no such page; `away`: it did not answer; looking again asks again, and so does its coming back. */
export type Fetched = Page | "missing" | "away" | null;

interface Kept {
  readonly page: Signal<Fetched>;
  readonly ask: () => void;
}

const MOST_KEPT = 300;
const kept = leastRecent<Kept>(MOST_KEPT);

/** Asks for the page where it is not there yet; `generation` is that of `reading.generations`. */
export function finishedPage(uploadId: string, generation: number, number: number): Signal<Fetched> {
  // An upload that is read anew has other pages under the same numbers.
  const key = `${uploadId}/${generation}/${number}`;
  const { page, ask } = kept.get(key, () => {
    const fresh = signal<Fetched>("away");
    return { page: fresh, ask: () => void fetchInto(fresh, uploadId, number) };
  });
  if (page.peek() === "away") ask();
  return page;
}

/** The server answers again: what it did not answer is asked anew. */
export function askAgain(): void {
  for (const { page, ask } of kept.values()) if (page.peek() === "away") ask();
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
