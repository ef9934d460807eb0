/** Badge with the state of the connection and a button to reconnect. */

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
        Retry now
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
  // A screen reader announces the state, but not every second of the countdown.
  return (
    <span class="badge waiting">
      <span role="status">Disconnected.</span>
      <span aria-hidden="true">Reconnecting in {seconds} s</span>
    </span>
  );
}
