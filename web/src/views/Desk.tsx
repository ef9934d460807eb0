/** The desk: one upload, its pictures beside its text. */

import { useSignal, type Signal } from "@preact/signals";
import { hasEnded, type Instance } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { generations, readingOf } from "../state/reading.ts";
import { loaded, loadSelected } from "../state/uploads.ts";
import { DeskBar } from "./DeskBar.tsx";
import { PicturePane } from "./PicturePane.tsx";
import { TextPane } from "./TextPane.tsx";

export type TextView = "text" | "markdown";

/** What the two panes share: the page that is looked at, and whether the eye goes along with the reader. */
export interface Gaze {
  readonly page: Signal<number>;
  readonly follows: Signal<boolean>;
}

export function Desk({ upload }: { readonly upload: Instance }): VNode {
  const view = useSignal<TextView>("text");
  const reads = !hasEnded(upload.status);
  const gaze: Gaze = { page: useSignal(1), follows: useSignal(reads) };
  const reading = readingOf(upload.id);
  const generation = generations.value.get(upload.id) ?? 0;

  useEffect(() => void loadSelected(), [upload.id, loaded.value]);
  useEffect(() => {
    gaze.follows.value = reads;
  }, [reads]);
  useEffect(
    () =>
      reading.current.subscribe((number) => {
        if (number !== null && gaze.follows.peek()) gaze.page.value = number;
      }),
    [reading],
  );

  return (
    <>
      <DeskBar upload={upload} view={view} />
      <Remarks upload={upload} />
      <div class="panes">
        <PicturePane upload={upload} reading={reading} generation={generation} gaze={gaze} />
        <TextPane upload={upload} reading={reading} generation={generation} gaze={gaze} view={view.value} />
      </div>
    </>
  );
}

/** How many pages there are to show: as many as were read, or are being read. */
export function shownPages(upload: Instance): number {
  const { status, page_count: count, pages_done: done } = upload;
  if (hasEnded(status)) return status === "processed" ? Math.max(count ?? 0, done) : done;
  return Math.max(done + 1, 1);
}

/** Whether the server has the page, finished. */
export function hasPage({ status, pages_done: done }: Instance, number: number): boolean {
  return status === "processed" || number <= done;
}

function Remarks({ upload }: { readonly upload: Instance }): VNode | null {
  const remarks = upload.status === "error" && upload.error !== null ? [upload.error] : [];
  const all = [...remarks, ...upload.warnings];
  if (all.length === 0) return null;
  return (
    <ul class="remarks">
      {all.map((remark) => (
        <li key={remark}>{remark}</li>
      ))}
    </ul>
  );
}
