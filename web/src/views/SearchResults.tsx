/** Field of the search, and its hits with snippets. */

import type { SearchHit, Snippet } from "scanrill-client";
import type { VNode } from "preact";

import { loadMoreHits, openedHit, openHit, query, results, searchError } from "../state/search.ts";

export function SearchField(): VNode {
  return (
    <input
      type="search"
      class="search-field"
      placeholder="Search"
      aria-label="Search your scans"
      title={'Words, "a phrase", prefix*, -without, name:, status:, before:, after:'}
      maxLength={200}
      value={query.value}
      onInput={(event) => (query.value = event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") query.value = "";
      }}
    />
  );
}

export function SearchResults(): VNode {
  const found = results.value;
  if (searchError.value !== null) {
    return (
      <p class="search-error" role="alert">
        {searchError.value}
      </p>
    );
  }
  return (
    <>
      <ul class="list" aria-label="Search results" aria-busy={found === null}>
        {found?.hits.map((hit) => <Row key={`${hit.upload.id} ${hit.field} ${hit.page}`} hit={hit} />)}
      </ul>
      {found?.hits.length === 0 && <p class="muted">Nothing found.</p>}
      {found?.complete === false && <p class="muted">Not all older scans can be searched yet.</p>}
      {typeof found?.next === "string" && (
        <button type="button" class="show-more" onClick={() => void loadMoreHits()}>
          Show more
        </button>
      )}
    </>
  );
}

function Row({ hit }: { readonly hit: SearchHit }): VNode {
  const place = hit.field === "page" ? `Page ${hit.page}` : hit.field === "filename" ? "Name" : "Correction";
  return (
    <li>
      <button
        type="button"
        class="upload-row search-hit"
        aria-current={openedHit.value === hit ? "true" : undefined}
        onClick={() => openHit(hit)}
      >
        <span class="upload-name">{hit.upload.filename}</span>
        <span class="upload-status">{place}</span>
        {hit.field !== "filename" && (
          <span class="snippet" dir="auto">
            <MarkedText snippet={hit.snippet} />
          </span>
        )}
      </button>
    </li>
  );
}

/** The text of a snippet with the words of the query marked. */
function MarkedText({ snippet: { text, marks } }: { readonly snippet: Snippet }): VNode {
  const characters = Array.from(text);
  const part = (start: number, end?: number) => characters.slice(start, end).join("");
  return (
    <>
      {marks.map(([start, end], index) => (
        <>
          {part(marks[index - 1]?.[1] ?? 0, start)}
          <mark>{part(start, end)}</mark>
        </>
      ))}
      {part(marks.at(-1)?.[1] ?? 0)}
    </>
  );
}
