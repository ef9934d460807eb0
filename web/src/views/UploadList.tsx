/** List of pending uploads and of uploads with their status. */

import type { Instance } from "scanrill-client";
import type { VNode } from "preact";

import { navigateTo, selectedId } from "../state/route.ts";
import { cancelUpload, pendingUploads, type PendingUpload } from "../state/upload-queue.ts";
import { hasMore, isLoaded, loadMore, uploads } from "../state/uploads.ts";
import { relativeTime, statusText } from "./format.ts";

export function UploadList(): VNode {
  return (
    <>
      <ul class="list">
        {pendingUploads.value.map((upload) => (
          <PendingRow key={`pending-${upload.id}`} upload={upload} />
        ))}
        {uploads.value.map((upload) => (
          <Row key={upload.id} upload={upload} />
        ))}
      </ul>
      {isLoaded.value && uploads.value.length === 0 && <p class="muted">No scans yet.</p>}
      {hasMore.value && (
        <button type="button" class="show-more" onClick={() => void loadMore()}>
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
        class={`upload-row ${status}`}
        aria-current={selectedId.value === id ? "true" : undefined}
        onClick={() => navigateTo(id)}
      >
        <span class="upload-name">{filename}</span>
        <span class="upload-status">
          {statusText(upload)}
          <time dateTime={upload.created_at}>{relativeTime(upload.created_at)}</time>
        </span>
        {status === "processing" && <progress {...(count === null ? {} : { value: done, max: count })} aria-label="Pages read" />}
      </button>
    </li>
  );
}

function PendingRow({ upload: { id, filename, sent, total } }: { readonly upload: PendingUpload }): VNode {
  return (
    <li class="pending-upload">
      <span class="upload-name">{filename}</span>
      <span class="upload-status">
        {sent === 0 ? "Waiting to upload" : `Uploading, ${Math.round((100 * sent) / total)} %`}
        <button type="button" class="plain" onClick={() => cancelUpload(id)}>
          Cancel
        </button>
      </span>
      <progress value={sent} max={total} aria-label={`Upload progress of ${filename}`} />
    </li>
  );
}
