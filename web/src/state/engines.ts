/** What can read a scan there, for who wants to choose. */

import { signal } from "@preact/signals";
import type { Engine } from "scanrill-client";

import { rest } from "./server.ts";

/** Those that are installed; none as long as the server has not said. */
export const engines = signal<readonly Engine[]>([]);
/** Which reads where nobody chooses; null as long as the server has not said. */
export const reader = signal<Engine | null>(null);

/** Asked at every connection, as a server that was restarted may have others. Without an answer all stays as it is. */
export async function load(): Promise<void> {
  try {
    const { engines: known, default: name } = await rest.engines();
    engines.value = known.filter(({ installed }) => installed);
    reader.value = known.find((engine) => engine.name === name) ?? null;
  } catch {
    // Who cannot choose can still do all the rest.
  }
}

export function clear(): void {
  engines.value = [];
  reader.value = null;
}
