/** Whether what is seen is live, and what to do where it is not. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { connection } from "../state/connection.ts";
import { retryNow } from "../state/api.ts";

export function ConnectionBadge(): VNode {
  const state = connection.value;
  if (state.kind === "open") return <Badge kind="open" text="Live" />;
  if (state.kind !== "waiting") return <Badge kind="connecting" text="Connecting…" />;
  return (
    <span class="badge-row">
      <Countdown until={state.retryAt} />
      <button type="button" class="plain" onClick={retryNow}>
        Try now
      </button>
    </span>
  );
}

function Badge({ kind, text }: { readonly kind: string; readonly text: string }): VNode {
  return (
    <span class={`badge ${kind}`} role="status">
      {text}
    </span>
  );
}

function Countdown({ until }: { readonly until: number }): VNode {
  const now = useSignal(Date.now());
  useEffect(() => {
    const interval = setInterval(() => {
      now.value = Date.now();
    }, 500);
    return () => clearInterval(interval);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now.value) / 1000));
  // Each second is seen and not read out.
  return (
    <span class="badge waiting">
      <span role="status">No connection.</span>
      <span aria-hidden="true">Again in {seconds} s</span>
    </span>
  );
}
