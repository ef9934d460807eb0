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

const MOST_KEPT = 24;

const kept = leastRecent<Signal<Picture>>(MOST_KEPT, (picture) => {
  if (picture.value.kind === "there") URL.revokeObjectURL(picture.value.url);
});

/** `width` in device pixels; the server gives the next larger one that it draws. */
export function pictureOf(uploadId: string, number: number, width: number): Signal<Picture> {
  const key = `${uploadId}/${number}/${width}`;
  return kept.get(key, () => {
    const picture = signal<Picture>({ kind: "coming" });
    void fetchInto(picture, key, uploadId, number, width);
    return picture;
  });
}

export function clear(): void {
  kept.clear();
}

async function fetchInto(
  picture: Signal<Picture>,
  key: string,
  uploadId: string,
  number: number,
  width: number,
): Promise<void> {
  try {
    const url = URL.createObjectURL(await rest.pageImage(uploadId, number, width));
    picture.value = { kind: "there", url };
  } catch (error) {
    picture.value = { kind: "failed", why: sentence(error) };
    if (error instanceof Unreachable) kept.drop(key);
  }
}
