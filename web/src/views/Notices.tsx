/** List of temporary notices, announced by screen readers. */

import type { VNode } from "preact";

import { dismiss, notices } from "../state/notices.ts";
import { InlineCode } from "./InlineCode.tsx";

export function Notices(): VNode {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text }) => (
        <p key={id} class="notice">
          <span>
            <InlineCode text={text} />
          </span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
