/** Toolbar of the detail view: name, status and actions of an upload. */

import { useSignal, type Signal } from "@preact/signals";
import { isTerminal, type Engine, type ExportFormat, type Instance, type ReadOptions } from "scanrill-client";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";

import { engines } from "../state/engines.ts";
import { copyToClipboard, downloadExport, downloadOriginal, downloadText } from "../state/export.ts";
import { currentText } from "../state/live-text.ts";
import { navigateTo } from "../state/route.ts";
import { cancelReading, deleteUpload, retryUpload } from "../state/uploads.ts";
import { Menu } from "./Menu.tsx";
import { Readings } from "./Readings.tsx";
import type { TextView } from "./page-position.ts";
import { formatBytes, statusText } from "./format.ts";

/** Formats that the server writes, with their names in the menu. */
const EXPORTS: readonly (readonly [ExportFormat, string])[] = [
  ["pdf", "Searchable PDF"],
  ["docx", "Word (.docx)"],
  ["html", "Web page (.html)"],
  ["xlsx", "Tables for Excel (.xlsx)"],
  ["csv", "Tables as CSV (.zip)"],
  ["json", "JSON with words and boxes"],
  ["hocr", "hOCR"],
  ["alto", "ALTO (.xml)"],
];

interface Props {
  readonly upload: Instance;
  readonly view: Signal<TextView>;
}

export function UploadToolbar({ upload, view }: Props): VNode {
  const isFinished = isTerminal(upload.status);
  return (
    <div class={isFinished ? "upload-toolbar" : "upload-toolbar in-progress"}>
      <div class="title">
        <button type="button" class="plain back-button" onClick={() => navigateTo(null)} aria-label="Back to the list">
          ←
        </button>
        <h1 title={upload.filename}>{upload.filename}</h1>
        <span class={`status-pill ${upload.status}`} role="status">
          {statusText(upload)}
        </span>
        <span class="muted file-size">{formatBytes(upload.bytes)}</span>
      </div>
      <div class="actions">
        <ViewSwitch view={view} />
        <ExportMenu upload={upload} view={view.value} />
        {!isFinished && (
          <button type="button" onClick={() => void cancelReading(upload.id)}>
            Cancel reading
          </button>
        )}
        {isFinished && <RetryMenu upload={upload} />}
        <DeleteButton upload={upload} />
      </div>
    </div>
  );
}

function ViewSwitch({ view }: { readonly view: Signal<TextView> }): VNode {
  const choice = (kind: TextView, label: string) => (
    <button type="button" aria-pressed={view.value === kind} onClick={() => (view.value = kind)}>
      {label}
    </button>
  );
  return (
    <div class="switch" role="group" aria-label="Text format">
      {choice("text", "Text")}
      {choice("markdown", "Markdown")}
    </div>
  );
}

/** Copy button and export menu. Copies the text in the shown format; during a reading, the text so far. */
function ExportMenu({ upload, view }: { readonly upload: Instance; readonly view: TextView }): VNode {
  const isCopied = useSignal(false);
  const markdown = () => upload.raw_text || currentText(upload.id);
  const text = () => (view === "text" && upload.processed_text ? upload.processed_text : markdown());
  const stem = upload.filename.replace(/\.[^.]+$/, "") || "scan";
  const isExportable = isTerminal(upload.status) && upload.pages_done > 0;
  const isReady = upload.status === "processed" && upload.raw_text !== undefined;

  const copyText = async () => {
    isCopied.value = await copyToClipboard(text());
    setTimeout(() => (isCopied.value = false), 2000);
  };
  return (
    <>
      <button type="button" onClick={() => void copyText()}>
        {isCopied.value ? "Copied" : "Copy"}
      </button>
      <Menu title="Export" class="export-menu">
        <button type="button" disabled={!isReady} onClick={() => downloadText(`${stem}.md`, "text/markdown", markdown())}>
          Markdown (.md)
        </button>
        <button
          type="button"
          disabled={!isReady}
          onClick={() => downloadText(`${stem}.txt`, "text/plain", upload.processed_text ?? "")}
        >
          Text (.txt)
        </button>
        {EXPORTS.map(([format, label]) => (
          <button key={format} type="button" disabled={!isExportable} onClick={() => void downloadExport(upload, format)}>
            {label}
          </button>
        ))}
        <button type="button" class="apart" onClick={() => void downloadOriginal(upload)}>
          Original file
        </button>
      </Menu>
    </>
  );
}

/** Retry button for failed uploads, and a menu of engines with the options of a retry. */
function RetryMenu({ upload }: { readonly upload: Instance }): VNode {
  const failed = upload.status !== "processed";
  const isFurnitureKept = useSignal(false);
  const isVisionAllowed = useSignal(false);
  const readings = useRef<HTMLDialogElement>(null);
  const isReadingsOpen = useSignal(false);
  const openReadings = () => {
    readings.current?.showModal();
    isReadingsOpen.value = true;
  };
  const options: ReadOptions = {
    furniture: isFurnitureKept.value ? "keep" : "drop",
    formulas: isVisionAllowed.value ? "vision" : "text",
  };
  return (
    <>
      {failed && (
        <button type="button" onClick={() => void retryUpload(upload.id)}>
          Read again
        </button>
      )}
      {engines.value.length > 0 && (
        <Menu title="Read again with …" class="retry-menu">
          {engines.value.map((engine) => (
            <EngineChoice key={engine.name} engine={engine} upload={upload} options={options} />
          ))}
          <MenuOption checked={isFurnitureKept}>Keep headers and page numbers</MenuOption>
          {engines.value.some((engine) => engine.name === "vision") && (
            <MenuOption checked={isVisionAllowed}>Send pages of formulas to “vision”</MenuOption>
          )}
          <button type="button" aria-haspopup="dialog" onClick={openReadings}>
            Show the readings …
          </button>
        </Menu>
      )}
      <Readings upload={upload} dialog={readings} isOpen={isReadingsOpen.value} onClose={() => (isReadingsOpen.value = false)} />
    </>
  );
}

function MenuOption({ checked, children }: { readonly checked: Signal<boolean>; readonly children: string }): VNode {
  return (
    <label class="menu-option">
      <input type="checkbox" checked={checked.value} onChange={(event) => (checked.value = event.currentTarget.checked)} />
      {children}
    </label>
  );
}

interface EngineChoiceProps {
  readonly engine: Engine;
  readonly upload: Instance;
  readonly options: ReadOptions;
}

function EngineChoice({ engine, upload, options }: EngineChoiceProps): VNode {
  return (
    <button type="button" onClick={() => void retryUpload(upload.id, { ...options, engine: engine.name })}>
      {engine.name}
      {engine.name === upload.engine && <span class="muted"> · current engine</span>}
      {engine.is_remote && <span class="muted"> · may send the scan to another machine</span>}
    </button>
  );
}

function DeleteButton({ upload }: { readonly upload: Instance }): VNode {
  const isConfirming = useSignal(false);
  if (!isConfirming.value) {
    return (
      <button type="button" class="danger" onClick={() => (isConfirming.value = true)}>
        Delete
      </button>
    );
  }
  return (
    <span class="confirm" role="group" aria-label="Delete this scan and its text?">
      <button type="button" class="danger confirm-delete" ref={(button) => button?.focus()} onClick={() => void deleteUpload(upload.id)}>
        Delete permanently
      </button>
      <button type="button" onClick={() => (isConfirming.value = false)}>
        Cancel
      </button>
    </span>
  );
}
