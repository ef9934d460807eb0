/** Layout for a signed-in user: top bar, upload list and detail view. */

import type { Me } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";

import { navigateTo, selectedId } from "../state/route.ts";
import { pendingUploads } from "../state/upload-queue.ts";
import { signOut } from "../state/auth.ts";
import { isSearching } from "../state/search.ts";
import { isLoaded, selected, uploads } from "../state/uploads.ts";
import { ConnectionBadge } from "./ConnectionBadge.tsx";
import { Sessions } from "./Sessions.tsx";
import { UploadDetail } from "./UploadDetail.tsx";
import { AddButton, DropTarget, EmptyState } from "./FileInput.tsx";
import { SearchField, SearchResults } from "./SearchResults.tsx";
import { UploadList } from "./UploadList.tsx";
import { Logo } from "./Logo.tsx";

export function AppLayout({ me }: { readonly me: Me }): VNode {
  const upload = selected.value;
  const isEmpty = isLoaded.value && uploads.value.length === 0 && pendingUploads.value.length === 0;
  useEffect(() => {
    document.title = upload === null ? "scanrill" : `${upload.filename} – scanrill`;
    return () => (document.title = "scanrill");
  }, [upload?.filename]);
  return (
    <div class={`layout ${selectedId.value === null ? "shows-list" : "shows-detail"} ${isEmpty ? "is-empty" : ""}`}>
      <header class="top-bar">
        <a class="home" href="/" onClick={goHome} aria-label="scanrill, all scans">
          <Logo />
        </a>
        <ConnectionBadge />
        <Sessions username={me.username} title={`Where you are signed in (scanrill ${me.version})`} />
        <button type="button" class="plain" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <aside class="upload-list" aria-label="Your scans">
        <AddButton />
        {!isEmpty && <SearchField />}
        {isSearching.value ? <SearchResults /> : <UploadList />}
      </aside>
      <main class="upload-detail">{upload === null ? <EmptyState /> : <UploadDetail key={upload.id} upload={upload} />}</main>
      <DropTarget />
    </div>
  );
}

function goHome(event: MouseEvent): void {
  event.preventDefault();
  navigateTo(null);
}
