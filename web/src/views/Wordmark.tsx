/** The name, as the page writes it. */

import type { VNode } from "preact";

export function Wordmark(): VNode {
  return (
    <span class="wordmark">
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <rect x="5" y="2" width="22" height="28" rx="3" class="wordmark-page" />
        <path d="M10 10h12M10 15h12" class="wordmark-lines" />
        <path d="M10 21c2-2 4-2 6 0s4 2 6 0" class="wordmark-rill" />
      </svg>
      scanrill
    </span>
  );
}
