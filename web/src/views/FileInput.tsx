/** File input: selection, drag and drop anywhere on the page, and paste. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { defaultEngine } from "../state/engines.ts";
import { uploadFiles } from "../state/upload-queue.ts";

const ACCEPTED_TYPES = "image/*,application/pdf,.heic,.heif,.avif,.tif,.tiff";

export function AddButton(): VNode {
  return (
    <label class="add-button primary">
      Add scans
      <FileInput />
    </label>
  );
}

/** Drop zone that fills the detail view while no upload is selected. */
export function EmptyState(): VNode {
  return (
    <label class="empty-state">
      <span class="empty-state-title for-mouse">Drop a scan here</span>
      <span class="for-mouse">or choose a file or paste an image.</span>
      <span class="empty-state-title for-touch">Choose a scan</span>
      <span class="for-touch">or take a photo.</span>
      <span class="muted">PDF, JPEG, PNG, HEIC, TIFF, WebP, GIF, BMP</span>
      <EngineNotice />
      <FileInput />
    </label>
  );
}

/** Notice whether scans stay on the server. Empty until the engines are loaded. */
function EngineNotice(): VNode | null {
  const engine = defaultEngine.value;
  if (engine === null) return null;
  return (
    <span class="muted">
      {engine.is_remote
        ? `The engine ${engine.name} may send scans to another machine.`
        : "Scans are processed on this server and stay there."}
    </span>
  );
}

/** Handler of dropped and pasted files on the whole page, with an overlay while files are dragged over it. */
export function DropTarget(): VNode | null {
  const isDragging = useSignal(false);
  useEffect(() => {
    const controller = new AbortController();
    const on = <Kind extends keyof WindowEventMap>(kind: Kind, handler: (event: WindowEventMap[Kind]) => void) =>
      window.addEventListener(kind, handler, { signal: controller.signal });
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
    return () => controller.abort();
  }, []);
  return isDragging.value ? <div class="drop-target">Drop to upload</div> : null;
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
