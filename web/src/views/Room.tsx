/** The room with the scans: the shelf with all of them, the desk with the one that is looked at. */

import type { Me } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { selectedId, show } from "../state/route.ts";
import { sendings } from "../state/sending.ts";
import { signOut } from "../state/session.ts";
import { loaded, selected, uploads } from "../state/uploads.ts";
import { ConnectionBadge } from "./ConnectionBadge.tsx";
import { Desk } from "./Desk.tsx";
import { AddButton, DropTarget, Welcome } from "./Intake.tsx";
import { Shelf } from "./Shelf.tsx";
import { Wordmark } from "./Wordmark.tsx";

export function Room({ me }: { readonly me: Me }): VNode {
  const upload = selected.value;
  const nothing = loaded.value && uploads.value.length === 0 && sendings.value.length === 0;
  useEffect(() => {
    document.title = upload === null ? "scanrill" : `${upload.filename} – scanrill`;
    return () => (document.title = "scanrill");
  }, [upload?.filename]);
  return (
    <div class={`room ${selectedId.value === null ? "at-shelf" : "at-desk"} ${nothing ? "nothing-yet" : ""}`}>
      <header class="bar">
        <a class="home" href="/" onClick={goHome} aria-label="scanrill, all scans">
          <Wordmark />
        </a>
        <ConnectionBadge />
        <span class="who" title={`scanrill ${me.version}`}>
          {me.username}
        </span>
        <button type="button" class="plain" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <aside class="shelf" aria-label="Your scans">
        <AddButton />
        <Shelf />
      </aside>
      <main class="desk">{upload === null ? <Welcome /> : <Desk key={upload.id} upload={upload} />}</main>
      <DropTarget />
    </div>
  );
}

function goHome(event: MouseEvent): void {
  event.preventDefault();
  show(null);
}
