/** Export of texts and files: copying to the clipboard and downloading. */

import type { ExportFormat, Instance } from "scanrill-client";

import { showNotice } from "./notices.ts";
import { errorMessage } from "./error-message.ts";
import { rest } from "./api.ts";

/** Copy `text` to the clipboard. Return false, with a notice, if the browser denies it. */
export async function copyToClipboard(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard !== undefined) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    return true;
  } catch {
    showNotice("The browser denied access to the clipboard. Select the text and copy it.");
    return false;
  }
}

/** Download `text` as a UTF-8 file. */
export function downloadText(filename: string, type: string, text: string): void {
  triggerDownload(filename, new Blob([text], { type: `${type};charset=utf-8` }));
}

/** Download the uploaded file, unchanged. */
export async function downloadOriginal(upload: Instance): Promise<void> {
  try {
    triggerDownload(upload.filename, await rest.original(upload.id));
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

/** Download an upload in another format, under the name that the server gives it. */
export async function downloadExport(upload: Instance, format: ExportFormat): Promise<void> {
  try {
    const response = await rest.export(upload.id, { format });
    triggerDownload(filenameOf(response) ?? upload.filename, await response.blob());
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

/** Return the file name of a response (RFC 6266: `filename*` is in UTF-8 with percent signs). */
function filenameOf(response: Response): string | null {
  const header = response.headers.get("Content-Disposition") ?? "";
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(header)?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  return /filename="((?:[^"\\]|\\.)*)"/.exec(header)?.[1]?.replace(/\\(.)/g, "$1") ?? null;
}

function triggerDownload(filename: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: url, download: filename });
  link.click();
  URL.revokeObjectURL(url);
}

/** Copy with a temporary text area: browsers offer the clipboard API over HTTPS and on localhost only. */
function copyBySelection(text: string): void {
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("The copy command failed.");
}
