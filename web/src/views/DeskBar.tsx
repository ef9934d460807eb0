/** The bar above the desk: the name, how it is doing, and what can be done with it. */

import { useSignal, type Signal } from "@preact/signals";
import { hasEnded, type Engine, type Instance } from "scanrill-client";
import type { VNode } from "preact";

import { engines } from "../state/engines.ts";
import { copy, save, saveOriginal } from "../state/handing.ts";
import { textSoFar } from "../state/reading.ts";
import { show } from "../state/route.ts";
import { cancel, readAgain, remove } from "../state/uploads.ts";
import { Menu } from "./Menu.tsx";
import type { TextView } from "./gaze.ts";
import { bytesText, statusText } from "./status.ts";

interface Props {
  readonly upload: Instance;
  readonly view: Signal<TextView>;
}

export function DeskBar({ upload, view }: Props): VNode {
  const ended = hasEnded(upload.status);
  return (
    <div class={ended ? "desk-bar" : "desk-bar reads"}>
      <div class="title">
        <button type="button" class="plain back" onClick={() => show(null)} aria-label="Back to the list">
          ←
        </button>
        <h1 title={upload.filename}>{upload.filename}</h1>
        <span class={`pill ${upload.status}`} role="status">
          {statusText(upload)}
        </span>
        <span class="quiet size">{bytesText(upload.bytes)}</span>
      </div>
      <div class="actions">
        <ViewSwitch view={view} />
        <Takeaway upload={upload} view={view.value} />
        {!ended && (
          <button type="button" onClick={() => void cancel(upload.id)}>
            Cancel
          </button>
        )}
        {ended && <Again upload={upload} />}
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
    <div class="switch" role="group" aria-label="How the text is shown">
      {choice("text", "Text")}
      {choice("markdown", "Markdown")}
    </div>
  );
}

/** What is copied is what is seen: the reading text, or the Markdown. While it is read: what there is so far. */
function Takeaway({ upload, view }: { readonly upload: Instance; readonly view: TextView }): VNode {
  const copied = useSignal(false);
  const markdown = () => upload.raw_text || textSoFar(upload.id);
  const text = () => (view === "text" && upload.processed_text ? upload.processed_text : markdown());
  const stem = upload.filename.replace(/\.[^.]+$/, "") || "scan";
  const ready = upload.status === "processed" && upload.raw_text !== undefined;

  const copyText = async () => {
    copied.value = await copy(text());
    setTimeout(() => (copied.value = false), 2000);
  };
  return (
    <>
      <button type="button" onClick={() => void copyText()}>
        {copied.value ? "Copied" : "Copy"}
      </button>
      <Menu title="Download">
        <button type="button" disabled={!ready} onClick={() => save(`${stem}.md`, "text/markdown", markdown())}>
          Markdown (.md)
        </button>
        <button
          type="button"
          disabled={!ready}
          onClick={() => save(`${stem}.txt`, "text/plain", upload.processed_text ?? "")}
        >
          Text (.txt)
        </button>
        <button type="button" onClick={() => void saveOriginal(upload)}>
          Original file
        </button>
      </Menu>
    </>
  );
}

/** What failed is read again as it was; whatever has ended, with an engine of one's choice, where there is one. */
function Again({ upload }: { readonly upload: Instance }): VNode {
  const failed = upload.status !== "processed";
  return (
    <>
      {failed && (
        <button type="button" onClick={() => void readAgain(upload.id)}>
          Read again
        </button>
      )}
      {engines.value.length > 1 && (
        <Menu title={failed ? "with …" : "Read again …"} label="Read again with …" class="again">
          {engines.value.map((engine) => (
            <EngineChoice key={engine.name} engine={engine} upload={upload} />
          ))}
        </Menu>
      )}
    </>
  );
}

function EngineChoice({ engine, upload }: { readonly engine: Engine; readonly upload: Instance }): VNode {
  return (
    <button type="button" onClick={() => void readAgain(upload.id, engine.name)}>
      with {engine.name}
      {engine.name === upload.engine && <span class="quiet"> · as before</span>}
      {engine.sends_pages_away && <span class="quiet"> · may send the scan to another machine</span>}
    </button>
  );
}

function DeleteButton({ upload }: { readonly upload: Instance }): VNode {
  const asked = useSignal(false);
  if (!asked.value) {
    return (
      <button type="button" class="danger" onClick={() => (asked.value = true)}>
        Delete
      </button>
    );
  }
  return (
    <span class="sure" role="group" aria-label="Delete this scan and its text?">
      <button type="button" class="danger sure-yes" ref={(button) => button?.focus()} onClick={() => void remove(upload.id)}>
        Delete for good
      </button>
      <button type="button" onClick={() => (asked.value = false)}>
        Keep
      </button>
    </span>
  );
}
