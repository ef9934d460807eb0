/** The desk: one upload, its pictures beside its text. */

import { useSignal } from "@preact/signals";
import { hasEnded, type Instance } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { generations, readingOf } from "../state/reading.ts";
import { loaded, loadSelected } from "../state/uploads.ts";
import { DeskBar } from "./DeskBar.tsx";
import { PicturePane } from "./PicturePane.tsx";
import { Sentence } from "./Sentence.tsx";
import { TextPane } from "./TextPane.tsx";
import type { Gaze, TextView } from "./gaze.ts";

export function Desk({ upload }: { readonly upload: Instance }): VNode {
  const view = useSignal<TextView>("text");
  const reads = !hasEnded(upload.status);
  const gaze: Gaze = { page: useSignal(1), follows: useSignal(reads), turned: useSignal(false) };
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

function Remarks({ upload }: { readonly upload: Instance }): VNode | null {
  const failed = upload.status === "error" && upload.error !== null ? [upload.error] : [];
  const all = [...failed, ...upload.warnings];
  if (all.length === 0) return null;
  return (
    <ul class={failed.length > 0 ? "remarks failed" : "remarks"}>
      {all.map((remark) => (
        <li key={remark}>
          <Sentence text={remark} />
        </li>
      ))}
    </ul>
  );
}
