/** The selected upload. Its ID is in the URL hash, so reload and the back button work. */

import { signal } from "@preact/signals";

const ID_IN_HASH = /^#\/([0-9a-f-]{36})$/;

export const selectedId = signal<string | null>(idFromHash());

/** Select an upload and add a history entry; null selects none. */
export function navigateTo(id: string | null): void {
  if (id === selectedId.value) return;
  history.pushState(null, "", id === null ? window.location.pathname : `#/${id}`);
  selectedId.value = id;
}

function idFromHash(): string | null {
  return ID_IN_HASH.exec(window.location.hash)?.[1] ?? null;
}

window.addEventListener("popstate", () => {
  selectedId.value = idFromHash();
});
