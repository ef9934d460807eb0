/** Which upload is looked at: it stands in the address, so that a reload and the back button keep to it. */

import { signal } from "@preact/signals";

const ID_IN_HASH = /^#\/([0-9a-f-]{36})$/;

export const selectedId = signal<string | null>(idFromHash());

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
