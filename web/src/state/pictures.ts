/** Pictures of pages. They need the token, so they are fetched and shown from memory, a few of them kept. */

import { signal, type Signal } from "@preact/signals";
import { Unreachable } from "scanrill-client";

import { leastRecent } from "./recent.ts";
import { sentence } from "./sentence.ts";
import { rest } from "./server.ts";

export type Picture =
  | { readonly kind: "coming" }
  | { readonly kind: "there"; readonly url: string }
  | { readonly kind: "failed"; readonly why: string };

/** What is looked at. `width` in device pixels; the server gives the next larger one that it draws. */
export interface View {
  readonly uploadId: string;
  readonly number: number;
  readonly width: number;
}

interface Kept {
  readonly view: View;
  readonly picture: Signal<Picture>;
  /** The server was not asked yet, or did not answer. */
  unasked: boolean;
}

const MOST_KEPT = 24;

const kept = leastRecent<Kept>(MOST_KEPT, ({ picture: { value } }) => {
  if (value.kind === "there") URL.revokeObjectURL(value.url);
});

let lookedAt: View | null = null;

/** Asks for nothing, so that it may be called while drawing; `lookAt` does. */
export function pictureOf(view: View): Signal<Picture> {
  return keep(view).picture;
}

export function lookAt(view: View): void {
  lookedAt = view;
  askAgain();
}

/** For what is looked at, where the server did not answer. */
export function askAgain(): void {
  const one = lookedAt === null ? null : keep(lookedAt);
  if (one?.unasked === true) void fetchInto(one);
}

export function clear(): void {
  lookedAt = null;
  kept.clear();
}

function keep(view: View): Kept {
  const { uploadId, number, width } = view;
  return kept.get(`${uploadId}/${number}/${width}`, () => ({ view, picture: signal({ kind: "coming" }), unasked: true }));
}

async function fetchInto(one: Kept): Promise<void> {
  const { uploadId, number, width } = one.view;
  one.unasked = false;
  one.picture.value = { kind: "coming" };
  try {
    const url = URL.createObjectURL(await rest.pageImage(uploadId, number, width));
    one.picture.value = { kind: "there", url };
  } catch (error) {
    one.picture.value = { kind: "failed", why: sentence(error) };
    one.unasked = error instanceof Unreachable;
  }
}
