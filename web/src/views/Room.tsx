/** The room with the scans: the shelf with all of them, the desk with the one that is looked at. */

import type { Me } from "scanrill-client";
import type { VNode } from "preact";

import { selectedId, show } from "../state/route.ts";
import { signOut } from "../state/session.ts";
import { selected } from "../state/uploads.ts";
import { ConnectionBadge } from "./ConnectionBadge.tsx";
import { Desk } from "./Desk.tsx";
import { AddButton, DropTarget, Welcome } from "./Intake.tsx";
import { Shelf } from "./Shelf.tsx";
import { Wordmark } from "./Wordmark.tsx";

export function Room({ me }: { readonly me: Me }): VNode {
  const upload = selected.value;
  return (
    <div class={selectedId.value === null ? "room at-shelf" : "room at-desk"}>
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
