/** Logo and name of the product. */

import type { VNode } from "preact";

export function Logo(): VNode {
  return (
    <span class="logo">
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <rect x="5" y="2" width="22" height="28" rx="3" class="logo-page" />
        <path d="M10 10h12M10 15h12" class="logo-lines" />
        <path d="M10 21c2-2 4-2 6 0s4 2 6 0" class="logo-wave" />
      </svg>
      scanrill
    </span>
  );
}
