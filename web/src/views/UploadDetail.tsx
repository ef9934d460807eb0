/** Detail view of an upload: page images beside the text. */

import { useSignal } from "@preact/signals";
import { isTerminal, type Instance } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { liveTextOf, revisions } from "../state/live-text.ts";
import { openedHit } from "../state/search.ts";
import { isLoaded, loadSelected } from "../state/uploads.ts";
import { InlineCode } from "./InlineCode.tsx";
import { PageImagePane } from "./PageImagePane.tsx";
import { TextPane } from "./TextPane.tsx";
import { UploadToolbar } from "./UploadToolbar.tsx";
import type { PagePosition, TextView } from "./page-position.ts";

export function UploadDetail({ upload }: { readonly upload: Instance }): VNode {
  const view = useSignal<TextView>("text");
  const isReading = !isTerminal(upload.status);
  const position: PagePosition = { page: useSignal(1), isFollowing: useSignal(isReading), isPinned: useSignal(false) };
  const liveText = liveTextOf(upload.id);
  const revision = revisions.value.get(upload.id) ?? 0;

  useEffect(() => void loadSelected(), [upload.id, isLoaded.value]);
  useEffect(() => {
    position.isFollowing.value = isReading;
  }, [isReading]);
  const hit = openedHit.value?.upload.id === upload.id ? openedHit.value : null;
  useEffect(() => {
    if (hit === null || hit.page === null) return;
    position.isFollowing.value = false;
    position.isPinned.value = true;
    position.page.value = hit.page;
  }, [hit]);
  useEffect(
    () =>
      liveText.current.subscribe((number) => {
        if (number !== null && position.isFollowing.peek()) position.page.value = number;
      }),
    [liveText],
  );

  return (
    <>
      <UploadToolbar upload={upload} view={view} />
      <Warnings upload={upload} />
      <div class="panes">
        <PageImagePane upload={upload} liveText={liveText} revision={revision} position={position} hit={hit} />
        <TextPane upload={upload} liveText={liveText} revision={revision} position={position} view={view.value} />
      </div>
    </>
  );
}

function Warnings({ upload }: { readonly upload: Instance }): VNode | null {
  const failed = upload.status === "error" && upload.error !== null ? [upload.error] : [];
  const messages = [...failed, ...upload.warnings];
  if (messages.length === 0) return null;
  return (
    <ul class={failed.length > 0 ? "warnings failed" : "warnings"}>
      {messages.map((message) => (
        <li key={message}>
          <InlineCode text={message} />
        </li>
      ))}
    </ul>
  );
}
