/** What leaves the page: text to the clipboard, files to the disk. */

import type { Instance } from "scanrill-client";

import { showNotice } from "./notices.ts";
import { errorMessage } from "./error-message.ts";
import { rest } from "./api.ts";

/** Whether it is in the clipboard now. */
export async function copyToClipboard(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard !== undefined) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    return true;
  } catch {
    showNotice("The browser did not let the text into the clipboard.");
    return false;
  }
}

export function downloadText(filename: string, type: string, text: string): void {
  triggerDownload(filename, new Blob([text], { type: `${type};charset=utf-8` }));
}

/** The original, as it came in. */
export async function saveOriginal(upload: Instance): Promise<void> {
  try {
    triggerDownload(upload.filename, await rest.original(upload.id));
  } catch (error) {
    showNotice(errorMessage(error));
  }
}

function triggerDownload(filename: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: url, download: filename });
  link.click();
  URL.revokeObjectURL(url);
}

/** Over plain http from another machine there is no clipboard API. */
function copyBySelection(text: string): void {
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("not copied");
}
