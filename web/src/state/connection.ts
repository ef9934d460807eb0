/** The live connection: opened when somebody signs in, feeding `uploads` and `reading`. */

import { signal } from "@preact/signals";
import type { ConnectionState, UploadEvent } from "scanrill-client";

import * as engines from "./engines.ts";
import * as pages from "./pages.ts";
import * as pictures from "./pictures.ts";
import * as reading from "./reading.ts";
import { closeSocket, openSocket, retryNow } from "./server.ts";
import * as uploads from "./uploads.ts";

export const connection = signal<ConnectionState>({ kind: "idle" });

/** `onExpired` is called when the server no longer accepts the user. */
export function open(onExpired: () => void): void {
  openSocket({
    onState: (state) => {
      connection.value = state;
      if (state.kind === "refused") onExpired();
    },
    onConnected: ({ recovered, snapshot }) => {
      void engines.load();
      pages.askAgain();
      pictures.askAgain();
      if (!recovered && !snapshot) void uploads.load();
      else void uploads.loadSelected();
    },
    onSnapshot: (snapshot) => uploads.take(snapshot),
    onEvent: heed,
  });
}

/** Nothing of this user stays in the page. */
export function close(): void {
  closeSocket();
  for (const store of [uploads, reading, pages, pictures, engines]) store.clear();
}

function heed(event: UploadEvent): void {
  uploads.heed(event);
  reading.heed(event);
}

window.addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retryNow());
