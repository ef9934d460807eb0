/** Dialog with the readings of an upload: another one can be shown instead, and earlier ones deleted. */

import { useSignal } from "@preact/signals";
import type { Instance, ReadingInfo } from "scanrill-client";
import type { RefObject, VNode } from "preact";
import { useEffect } from "preact/hooks";

import { rest } from "../state/api.ts";
import { errorMessage } from "../state/error-message.ts";
import { relativeTime } from "./format.ts";

interface Props {
  readonly upload: Instance;
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function Readings({ upload, dialog, isOpen, onClose }: Props): VNode {
  const readings = useSignal<readonly ReadingInfo[]>([]);
  const errorText = useSignal("");

  const load = async () => {
    readings.value = await rest.readings(upload.id);
    errorText.value = "";
  };
  const run = async (request: () => Promise<unknown>) => {
    try {
      await request();
      await load();
    } catch (error) {
      errorText.value = errorMessage(error);
    }
  };
  useEffect(() => {
    if (isOpen) void run(load);
  }, [isOpen, upload.id, upload.updated_at]);

  return (
    <dialog ref={dialog} class="list-dialog" aria-labelledby="readings-title" onClose={onClose}>
      <h2 id="readings-title">Readings of this file</h2>
      {errorText.value === "" ? null : (
        <p class="form-error" role="alert">
          {errorText.value}
        </p>
      )}
      <ul>
        {readings.value.map((reading) => (
          <ReadingItem
            key={reading.number}
            reading={reading}
            onShow={() => void run(() => rest.makeReadingCurrent(upload.id, reading.number))}
            onDelete={() => void run(() => rest.deleteReading(upload.id, reading.number))}
          />
        ))}
      </ul>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

interface ItemProps {
  readonly reading: ReadingInfo;
  readonly onShow: () => void;
  readonly onDelete: () => void;
}

function ReadingItem({ reading, onShow, onDelete }: ItemProps): VNode {
  const name = `reading ${reading.number}`;
  return (
    <li>
      <span class="item">
        Reading {reading.number} · {reading.engine}
        <small>{facts(reading).join(" · ")}</small>
      </span>
      {reading.is_current ? null : (
        <span class="item-actions">
          <button type="button" aria-label={`Show ${name}`} onClick={onShow}>
            Show
          </button>
          <button type="button" class="danger" aria-label={`Delete ${name}`} onClick={onDelete}>
            Delete
          </button>
        </span>
      )}
    </li>
  );
}

function facts({ is_current, profile, languages, confidence, pages_done, seconds, read_at }: ReadingInfo): string[] {
  return [
    is_current ? "shown" : "",
    profile ?? "",
    languages.join(", "),
    pages_done === 1 ? "1 page" : `${pages_done} pages`,
    confidence === null ? "" : `${Math.floor(confidence * 100)} % confidence`,
    seconds === null ? "" : `${seconds.toFixed(1)} s`,
    read_at === null ? "" : relativeTime(read_at),
  ].filter((fact) => fact !== "");
}
