/** The WebSocket connection of the signed-in user; passes events to `uploads` and `live-text`. */

import { signal } from "@preact/signals";
import type { ConnectionState, UploadEvent } from "scanrill-client";

import * as engines from "./engines.ts";
import * as pageCache from "./page-cache.ts";
import * as pageImages from "./page-images.ts";
import * as liveText from "./live-text.ts";
import * as search from "./search.ts";
import { closeSocket, openSocket, retryNow } from "./api.ts";
import * as uploads from "./uploads.ts";

export const connection = signal<ConnectionState>({ kind: "idle" });

/** Open the connection. `onExpired` is called when the server rejects the session. */
export function open(onExpired: () => void): void {
  openSocket({
    onState: (state) => {
      connection.value = state;
      if (state.kind === "rejected") onExpired();
    },
    onConnected: ({ recovered, snapshot }) => {
      void engines.load();
      pageCache.retryFailed();
      pageImages.retryFailed();
      if (!recovered && !snapshot) void uploads.load();
      else void uploads.loadSelected();
    },
    onSnapshot: (snapshot) => uploads.replaceAll(snapshot),
    onEvent: dispatchEvent,
  });
}

/** Close the connection and remove all data of the user from the page. */
export function close(): void {
  closeSocket();
  for (const store of [uploads, liveText, pageCache, pageImages, engines, search]) store.clear();
}

function dispatchEvent(event: UploadEvent): void {
  uploads.applyEvent(event);
  if (event.kind !== "partial") search.refresh();
  liveText.applyEvent(event);
}

window.addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retryNow());
