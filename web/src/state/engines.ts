/** What can read a scan there, for who wants to choose. */

import { signal } from "@preact/signals";
import type { Engine } from "scanrill-client";

import { rest } from "./api.ts";

/** Those that are installed; none as long as the server has not said. */
export const engines = signal<readonly Engine[]>([]);
/** Which reads where nobody chooses; null as long as the server has not said. */
export const defaultEngine = signal<Engine | null>(null);

/** Asked at every connection, as a server that was restarted may have others. Without an answer all stays as it is. */
export async function load(): Promise<void> {
  try {
    const { engines: found, default: name } = await rest.engines();
    engines.value = found.filter(({ installed }) => installed);
    defaultEngine.value = found.find((engine) => engine.name === name) ?? null;
  } catch {
    // Who cannot choose can still do all the rest.
  }
}

export function clear(): void {
  engines.value = [];
  defaultEngine.value = null;
}
