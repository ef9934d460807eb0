/** The ways in for files: chosen, dropped anywhere on the page, or pasted. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { reader } from "../state/engines.ts";
import { send } from "../state/sending.ts";

const ACCEPTED = "image/*,application/pdf,.heic,.heif,.tif,.tiff";

export function AddButton(): VNode {
  return (
    <label class="add primary">
      Add scans
      <FileInput />
    </label>
  );
}

/** What the desk shows while nothing lies on it. */
export function Welcome(): VNode {
  return (
    <label class="welcome">
      <span class="welcome-title for-mouse">Drop a scan here</span>
      <span class="for-mouse">or choose a file, or paste a picture.</span>
      <span class="welcome-title for-finger">Choose a scan</span>
      <span class="for-finger">or take a photo of one.</span>
      <span class="quiet">PDF, JPEG, PNG, HEIC, TIFF, WebP, GIF, BMP</span>
      <Whereabouts />
      <FileInput />
    </label>
  );
}

/** Where a scan goes. Nothing is promised before the server has said what reads there. */
function Whereabouts(): VNode | null {
  const engine = reader.value;
  if (engine === null) return null;
  return (
    <span class="quiet">
      {engine.sends_pages_away
        ? `It is read with ${engine.name}, which may send it to another machine.`
        : "It is read on this server, and stays there."}
    </span>
  );
}

/** The whole page takes files; while one is over it, it says so. */
export function DropTarget(): VNode | null {
  const over = useSignal(false);
  useEffect(() => {
    const stop = new AbortController();
    const on = <Kind extends keyof WindowEventMap>(kind: Kind, heed: (event: WindowEventMap[Kind]) => void) =>
      window.addEventListener(kind, heed, { signal: stop.signal });
    on("dragover", (event) => {
      if (!bringsFiles(event.dataTransfer)) return;
      event.preventDefault();
      over.value = true;
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) over.value = false;
    });
    on("drop", (event) => {
      over.value = false;
      if (!bringsFiles(event.dataTransfer)) return;
      event.preventDefault();
      send(event.dataTransfer?.files ?? []);
    });
    on("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length > 0) send(files);
    });
    return () => stop.abort();
  }, []);
  return over.value ? <div class="drop-target">Let go to have it read</div> : null;
}

function FileInput(): VNode {
  return (
    <input
      type="file"
      class="unseen"
      multiple
      accept={ACCEPTED}
      onChange={(event) => {
        const input = event.currentTarget;
        send(input.files ?? []);
        input.value = "";
      }}
    />
  );
}

function bringsFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") ?? false;
}
