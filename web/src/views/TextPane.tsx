/** The text, page after page. A page is drawn when the eye comes near; while reading goes on, the eye goes along. */

import { useSignal } from "@preact/signals";
import { isTerminal, type Instance } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { livePage, type LiveText } from "../state/live-text.ts";
import { Markdown } from "../text/markdown.tsx";
import { hasPage, shownPages, type PagePosition, type TextView } from "./page-position.ts";
import { useFinishedPage } from "./useFinishedPage.ts";

interface Props {
  readonly upload: Instance;
  readonly liveText: LiveText;
  readonly revision: number;
  readonly position: PagePosition;
  readonly view: TextView;
}

/** So far from the end of the text the eye is still at the end. */
const END_TOLERANCE_PIXELS = 160;
const NEAR_MARGIN = "1500px 0px";
/** The page that stands a quarter from the top is the one that is looked at. */
const CURRENT_PAGE_MARGIN = "-24% 0px -75% 0px";

export function TextPane({ upload, liveText, revision, position, view }: Props): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const count = shownPages(upload);
  const isReading = !isTerminal(upload.status);
  useAutoScroll(pane, liveText, position, isReading);
  useScrollToPage(pane, position);

  return (
    <section class="text-pane" aria-label="The text">
      <div class={`text-scroll ${view}`} ref={pane} tabIndex={0}>
        <div>
          {Array.from({ length: count }, (_, index) => (
            <PageSection
              key={`${revision}-${index + 1}`}
              {...{ upload, liveText, revision, position, view, pane }}
              number={index + 1}
              alone={count === 1}
            />
          ))}
        </div>
        <EndNote upload={upload} />
      </div>
      {isReading && !position.isFollowing.value && (
        <button type="button" class="follow-button primary" onClick={() => (position.isFollowing.value = true)}>
          Follow the reading ↓
        </button>
      )}
    </section>
  );
}

/** Why there is no more text, where that is not the scan's end. */
function EndNote({ upload: { status, pages_done: done, raw_text: text } }: { readonly upload: Instance }): VNode | null {
  const why =
    status === "cancelled" || status === "error"
      ? `${status === "error" ? "Failed" : "Cancelled"}; ${done > 0 ? "nothing was read after this" : "no page was read to its end"}.`
      : status === "processed" && text === "" && "There is no text on this scan.";
  return why === false ? null : <p class="muted end-note">{why}</p>;
}

interface SectionProps extends Props {
  readonly number: number;
  readonly alone: boolean;
  readonly pane: { readonly current: HTMLDivElement | null };
}

function PageSection({ upload, liveText, revision, position, view, number, alone, pane }: SectionProps): VNode {
  const section = useRef<HTMLElement>(null);
  const isNear = useSignal(alone);
  const live = livePage(liveText, number).value;
  const shouldFetch = isNear.value && live?.done !== true && hasPage(upload, number);
  const finished = useFinishedPage(upload.id, revision, number, shouldFetch);
  const markdown = finished?.markdown ?? live?.markdown ?? "";
  const isCurrent = liveText.current.value === number && live?.done !== true;

  useEffect(() => observe(section.current, pane.current, NEAR_MARGIN, (near) => (isNear.value ||= near)), []);
  useEffect(
    () =>
      observe(section.current, pane.current, CURRENT_PAGE_MARGIN, (isCurrentPage) => {
        if (isCurrentPage && !position.isFollowing.peek() && !position.isPinned.peek()) position.page.value = number;
      }),
    [],
  );

  return (
    <article
      ref={section}
      class={`page ${alone ? "alone" : ""} ${isCurrent ? "is-reading" : ""}`}
      data-page={number}
    >
      {!alone && <div class="page-number">{number}</div>}
      {isNear.value && (view === "text" ? <Markdown text={markdown} /> : <pre class="source">{markdown}</pre>)}
      {isCurrent && markdown === "" && <p class="muted">Reading…</p>}
      {upload.status === "pending" && <p class="muted">Waiting for the reader…</p>}
    </article>
  );
}

/** Keeps the end of the growing text in sight, until somebody scrolls away from it. */
function useAutoScroll(
  pane: { readonly current: HTMLDivElement | null },
  liveText: LiveText,
  { isFollowing }: PagePosition,
  isReading: boolean,
): void {
  const { current } = liveText;
  const text = current.value === null ? null : livePage(liveText, current.value).value;
  useEffect(() => {
    const box = pane.current;
    if (box === null || !isReading) return;
    const onChange = () => {
      isFollowing.value = box.scrollHeight - box.scrollTop - box.clientHeight < END_TOLERANCE_PIXELS;
    };
    // Scrolling by the page itself says nothing; only what a person does counts.
    const stop = new AbortController();
    const later = () => requestAnimationFrame(onChange);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerup"] as const) {
      box.addEventListener(kind, later, { signal: stop.signal, passive: true });
    }
    return () => stop.abort();
  }, [isReading]);
  useEffect(() => {
    const box = pane.current;
    if (box !== null && isReading && isFollowing.value) box.scrollTop = box.scrollHeight;
  }, [text, isReading, isFollowing.value]);
}

/** A page that was turned to is scrolled to, and again when pages above it get their text and grow. */
function useScrollToPage(pane: { readonly current: HTMLDivElement | null }, { page, isFollowing, isPinned }: PagePosition): void {
  const scrollToPage = () => {
    if (!isPinned.peek() || isFollowing.peek()) return;
    const section = pane.current?.querySelector<HTMLElement>(`[data-page="${page.peek()}"]`);
    if (section) pane.current?.scrollTo({ top: section.offsetTop });
  };
  useEffect(scrollToPage, [page.value, isPinned.value]);
  useEffect(() => {
    const box = pane.current;
    if (box?.firstElementChild == null) return;
    const growing = new ResizeObserver(scrollToPage);
    growing.observe(box.firstElementChild);
    const stop = new AbortController();
    const release = () => (isPinned.value = false);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"] as const) {
      box.addEventListener(kind, release, { signal: stop.signal, passive: true });
    }
    return () => (growing.disconnect(), stop.abort());
  }, []);
}

function observe(
  element: HTMLElement | null,
  root: HTMLElement | null,
  rootMargin: string,
  onChange: (inside: boolean) => void,
): (() => void) | undefined {
  if (element === null) return undefined;
  const observer = new IntersectionObserver((entries) => onChange(entries.at(-1)?.isIntersecting ?? false), { root, rootMargin });
  observer.observe(element);
  return () => observer.disconnect();
}
