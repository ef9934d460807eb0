/** The list: what is being sent, then every upload with how it is doing. */

import type { Instance } from "scanrill-client";
import type { VNode } from "preact";

import { selectedId, show } from "../state/route.ts";
import { callBack, sendings, type Sending } from "../state/sending.ts";
import { hasMore, loaded, loadMore, uploads } from "../state/uploads.ts";
import { ago, statusText } from "./status.ts";

export function Shelf(): VNode {
  return (
    <>
      <ul class="list">
        {sendings.value.map((sending) => (
          <SendingRow key={`sending-${sending.id}`} sending={sending} />
        ))}
        {uploads.value.map((upload) => (
          <Row key={upload.id} upload={upload} />
        ))}
      </ul>
      {loaded.value && uploads.value.length === 0 && <p class="quiet">No scans yet.</p>}
      {hasMore.value && (
        <button type="button" class="more" onClick={() => void loadMore()}>
          Show older scans
        </button>
      )}
    </>
  );
}

function Row({ upload }: { readonly upload: Instance }): VNode {
  const { id, filename, status, page_count: count, pages_done: done } = upload;
  return (
    <li>
      <button
        type="button"
        class={`row-button ${status}`}
        aria-current={selectedId.value === id ? "true" : undefined}
        onClick={() => show(id)}
      >
        <span class="name">{filename}</span>
        <span class="state">
          {statusText(upload)}
          <time dateTime={upload.created_at}>{ago(upload.created_at)}</time>
        </span>
        {status === "processing" && <progress {...(count === null ? {} : { value: done, max: count })} aria-label="Pages read" />}
      </button>
    </li>
  );
}

function SendingRow({ sending: { id, filename, sent, total } }: { readonly sending: Sending }): VNode {
  return (
    <li class="sending">
      <span class="name">{filename}</span>
      <span class="state">
        {sent === 0 ? "Waiting to be sent" : `Sending, ${Math.round((100 * sent) / total)} %`}
        <button type="button" class="plain" onClick={() => callBack(id)}>
          Cancel
        </button>
      </span>
      <progress value={sent} max={total} aria-label={`${filename} sent`} />
    </li>
  );
}
