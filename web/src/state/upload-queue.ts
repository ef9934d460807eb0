/** Queue of files to upload, with progress and cancellation for each file. */

import { signal } from "@preact/signals";

import { showNotice } from "./notices.ts";
import { navigateTo } from "./route.ts";
import { errorMessage } from "./error-message.ts";
import { rest } from "./api.ts";
import { authState } from "./auth.ts";
import { addUploaded } from "./uploads.ts";

export interface PendingUpload {
  readonly id: number;
  readonly filename: string;
  readonly sent: number;
  readonly total: number;
}

const MAX_CONCURRENT = 2;

export const pendingUploads = signal<readonly PendingUpload[]>([]);

const queue: (() => Promise<void>)[] = [];
const abortControllers = new Map<number, AbortController>();
let activeCount = 0;
let lastId = 0;

/** Upload valid files, and select the first one once it is uploaded. */
export function uploadFiles(files: Iterable<File>): void {
  const valid = [...files].filter(validateFile);
  valid.forEach((file, index) => enqueue(file, { navigate: index === 0 }));
  startNext();
}

/** Abort an upload and remove it from the list. */
export function cancelUpload(id: number): void {
  abortControllers.get(id)?.abort(new DOMException("Upload cancelled.", "AbortError"));
  removePending(id);
}

/** Return whether the file can be uploaded; show a notice if not. */
function validateFile(file: File): boolean {
  const maxBytes = authState.value.kind === "user" ? authState.value.me.max_upload_bytes : 0;
  if (file.size === 0) showNotice(`${file.name} is empty.`);
  else if (maxBytes > 0 && file.size > maxBytes) showNotice(`${file.name} exceeds the upload limit.`);
  else return true;
  return false;
}

function enqueue(file: File, { navigate }: { navigate: boolean }): void {
  const id = ++lastId;
  const abort = new AbortController();
  abortControllers.set(id, abort);
  pendingUploads.value = [...pendingUploads.value, { id, filename: file.name, sent: 0, total: file.size }];
  queue.push(() => uploadFile(id, file, abort.signal, navigate));
}

function startNext(): void {
  while (activeCount < MAX_CONCURRENT && queue.length > 0) {
    activeCount += 1;
    void queue.shift()?.().finally(() => {
      activeCount -= 1;
      startNext();
    });
  }
}

async function uploadFile(id: number, file: File, signal: AbortSignal, navigate: boolean): Promise<void> {
  if (signal.aborted) return;
  try {
    const reply = await rest.upload(file, {
      filename: file.name,
      signal,
      onProgress: (sent) => setProgress(id, sent),
    });
    addUploaded(reply.instance);
    if (reply.duplicate === true) showNotice(duplicateMessage(file.name, reply.instance.filename));
    if (navigate) navigateTo(reply.instance.id);
  } catch (error) {
    if (!signal.aborted) showNotice(`${file.name}: ${errorMessage(error)}`);
  } finally {
    removePending(id);
  }
}

function duplicateMessage(name: string, existing: string): string {
  return name === existing ? `${name} was already uploaded.` : `${name} was already uploaded as ${existing}.`;
}

function setProgress(id: number, sent: number): void {
  pendingUploads.value = pendingUploads.value.map((upload) => (upload.id === id ? { ...upload, sent } : upload));
}

function removePending(id: number): void {
  abortControllers.delete(id);
  pendingUploads.value = pendingUploads.value.filter((upload) => upload.id !== id);
}
