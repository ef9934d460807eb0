/** OCR engines of the server. */

import { signal } from "@preact/signals";
import type { Engine } from "scanrill-client";

import { rest } from "./api.ts";

/** The installed engines; empty until they are loaded. */
export const engines = signal<readonly Engine[]>([]);
/** The engine that the server uses by default; null until it is loaded. */
export const defaultEngine = signal<Engine | null>(null);

/** Load the engines. Runs after every connect, because a restarted server may have other engines. */
export async function load(): Promise<void> {
  try {
    const { engines: found, default: name } = await rest.engines();
    engines.value = found.filter(({ installed }) => installed);
    defaultEngine.value = found.find((engine) => engine.name === name) ?? null;
  } catch {
    // The list stays as it is: the page works without a choice of engines.
  }
}

export function clear(): void {
  engines.value = [];
  defaultEngine.value = null;
}
