/** The ways in for files: chosen, dropped anywhere on the page, or pasted. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { defaultEngine } from "../state/engines.ts";
import { uploadFiles } from "../state/upload-queue.ts";

const ACCEPTED_TYPES = "image/*,application/pdf,.heic,.heif,.tif,.tiff";

export function AddButton(): VNode {
  return (
    <label class="add-button primary">
      Add scans
      <FileInput />
    </label>
  );
}

/** What the desk shows while nothing lies on it. */
export function EmptyState(): VNode {
  return (
    <label class="empty-state">
      <span class="empty-state-title for-mouse">Drop a scan here</span>
      <span class="for-mouse">or choose a file, or paste a picture.</span>
      <span class="empty-state-title for-touch">Choose a scan</span>
      <span class="for-touch">or take a photo of one.</span>
      <span class="muted">PDF, JPEG, PNG, HEIC, TIFF, WebP, GIF, BMP</span>
      <EngineNotice />
      <FileInput />
    </label>
  );
}

/** Where a scan goes. Nothing is promised before the server has said what reads there. */
function EngineNotice(): VNode | null {
  const engine = defaultEngine.value;
  if (engine === null) return null;
  return (
    <span class="muted">
      {engine.is_remote
        ? `It is read with ${engine.name}, which may uploadFiles it to another machine.`
        : "It is read on this server, and stays there."}
    </span>
  );
}

/** The whole page takes files; while one is over it, it says so. */
export function DropTarget(): VNode | null {
  const isDragging = useSignal(false);
  useEffect(() => {
    const stop = new AbortController();
    const on = <Kind extends keyof WindowEventMap>(kind: Kind, handler: (event: WindowEventMap[Kind]) => void) =>
      window.addEventListener(kind, handler, { signal: stop.signal });
    on("dragover", (event) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      isDragging.value = true;
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) isDragging.value = false;
    });
    on("drop", (event) => {
      isDragging.value = false;
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      uploadFiles(event.dataTransfer?.files ?? []);
    });
    on("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length > 0) uploadFiles(files);
    });
    return () => stop.abort();
  }, []);
  return isDragging.value ? <div class="drop-target">Let go to have it read</div> : null;
}

function FileInput(): VNode {
  return (
    <input
      type="file"
      class="visually-hidden"
      multiple
      accept={ACCEPTED_TYPES}
      onChange={(event) => {
        const input = event.currentTarget;
        uploadFiles(input.files ?? []);
        input.value = "";
      }}
    />
  );
}

function hasFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") ?? false;
}
