/** Text of all pages. Pages are rendered when they come near the viewport, and the pane scrolls along with a reading. */

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

/** Distance from the end of the text that still counts as the end. */
const END_TOLERANCE_PIXELS = 160;
const NEAR_MARGIN = "1500px 0px";
/** The page at a quarter of the pane's height is the current page. */
const CURRENT_PAGE_MARGIN = "-24% 0px -75% 0px";

export function TextPane({ upload, liveText, revision, position, view }: Props): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const count = shownPages(upload);
  const isReading = !isTerminal(upload.status);
  useAutoScroll(pane, liveText, position, isReading);
  useScrollToPage(pane, position);

  return (
    <section class="text-pane" aria-label="Recognized text">
      <div class={`text-scroll ${view}`} ref={pane} tabIndex={0}>
        <div>
          {Array.from({ length: count }, (_, index) => (
            <PageSection
              key={`${revision}-${index + 1}`}
              {...{ upload, liveText, revision, position, view, pane }}
              number={index + 1}
              isOnlyPage={count === 1}
            />
          ))}
        </div>
        <EndNote upload={upload} />
      </div>
      {isReading && !position.isFollowing.value && (
        <button type="button" class="follow-button primary" onClick={() => (position.isFollowing.value = true)}>
          Follow live text ↓
        </button>
      )}
    </section>
  );
}

/** Note below the text that explains why text is missing. */
function EndNote({ upload: { status, pages_done: done, raw_text: text } }: { readonly upload: Instance }): VNode | null {
  const note =
    status === "cancelled" || status === "error"
      ? `Reading ${status === "error" ? "failed" : "cancelled"}. ${done > 0 ? "The remaining pages were not read." : "No page was completed."}`
      : status === "processed" && text === "" && "No text found.";
  return note === false ? null : <p class="muted end-note">{note}</p>;
}

interface SectionProps extends Props {
  readonly number: number;
  readonly isOnlyPage: boolean;
  readonly pane: { readonly current: HTMLDivElement | null };
}

function PageSection({ upload, liveText, revision, position, view, number, isOnlyPage, pane }: SectionProps): VNode {
  const section = useRef<HTMLElement>(null);
  const isNear = useSignal(isOnlyPage);
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
      class={`page ${isOnlyPage ? "only-page" : ""} ${isCurrent ? "is-reading" : ""}`}
      data-page={number}
    >
      {!isOnlyPage && <div class="page-number">{number}</div>}
      {isNear.value && (view === "text" ? <Markdown text={markdown} /> : <pre class="source">{markdown}</pre>)}
      {isCurrent && markdown === "" && <p class="muted">Reading…</p>}
      {upload.status === "pending" && <p class="muted">Waiting in the queue…</p>}
    </article>
  );
}

/** Scroll to the end of the growing text until the user scrolls away from it. */
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
    // Scroll events also come from the page itself, so the hook observes user input instead.
    const controller = new AbortController();
    const onInput = () => requestAnimationFrame(onChange);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerup"] as const) {
      box.addEventListener(kind, onInput, { signal: controller.signal, passive: true });
    }
    return () => controller.abort();
  }, [isReading]);
  useEffect(() => {
    const box = pane.current;
    if (box !== null && isReading && isFollowing.value) box.scrollTop = box.scrollHeight;
  }, [text, isReading, isFollowing.value]);
}

/** Scroll to a pinned page, and again when pages above it grow because their text arrives. */
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
    const resizeObserver = new ResizeObserver(scrollToPage);
    resizeObserver.observe(box.firstElementChild);
    const controller = new AbortController();
    const unpin = () => (isPinned.value = false);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"] as const) {
      box.addEventListener(kind, unpin, { signal: controller.signal, passive: true });
    }
    return () => (resizeObserver.disconnect(), controller.abort());
  }, []);
}

/** Report whether an element is within `rootMargin` of the viewport of `root`. Return the cleanup function. */
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
