/** The text, page after page. A page is drawn when the eye comes near; while reading goes on, the eye goes along. */

import { useSignal } from "@preact/signals";
import { hasEnded, type Instance } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { pageOf, type Reading } from "../state/reading.ts";
import { Markdown } from "../text/markdown.tsx";
import { hasPage, shownPages, type Gaze, type TextView } from "./gaze.ts";
import { useFinishedPage } from "./useFinishedPage.ts";

interface Props {
  readonly upload: Instance;
  readonly reading: Reading;
  readonly generation: number;
  readonly gaze: Gaze;
  readonly view: TextView;
}

/** So far from the end of the text the eye is still at the end. */
const AT_END_PIXELS = 160;
const NEAR = "1500px 0px";
/** The page that stands a quarter from the top is the one that is looked at. */
const LOOKED_AT = "-24% 0px -75% 0px";

export function TextPane({ upload, reading, generation, gaze, view }: Props): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const count = shownPages(upload);
  const reads = !hasEnded(upload.status);
  useFollowing(pane, reading, gaze, reads);
  useTurningTo(pane, gaze);

  return (
    <section class="text-pane" aria-label="The text">
      <div class={`text-scroll ${view}`} ref={pane} tabIndex={0}>
        <div>
          {Array.from({ length: count }, (_, index) => (
            <PageSection
              key={`${generation}-${index + 1}`}
              {...{ upload, reading, generation, gaze, view, pane }}
              number={index + 1}
              alone={count === 1}
            />
          ))}
        </div>
        <Ending upload={upload} />
      </div>
      {reads && !gaze.follows.value && (
        <button type="button" class="follow primary" onClick={() => (gaze.follows.value = true)}>
          Follow the reading ↓
        </button>
      )}
    </section>
  );
}

/** Why there is no more text, where that is not the scan's end. */
function Ending({ upload: { status, pages_done: done, raw_text: text } }: { readonly upload: Instance }): VNode | null {
  const why =
    status === "cancelled" || status === "error"
      ? `${status === "error" ? "Failed" : "Cancelled"}; ${done > 0 ? "nothing was read after this" : "no page was read to its end"}.`
      : status === "processed" && text === "" && "There is no text on this scan.";
  return why === false ? null : <p class="quiet ending">{why}</p>;
}

interface SectionProps extends Props {
  readonly number: number;
  readonly alone: boolean;
  readonly pane: { readonly current: HTMLDivElement | null };
}

function PageSection({ upload, reading, generation, gaze, view, number, alone, pane }: SectionProps): VNode {
  const section = useRef<HTMLElement>(null);
  const near = useSignal(alone);
  const live = pageOf(reading, number).value;
  const toFetch = near.value && live?.done !== true && hasPage(upload, number);
  const finished = useFinishedPage(upload.id, generation, number, toFetch);
  const markdown = finished?.markdown ?? live?.markdown ?? "";
  const beingRead = reading.current.value === number && live?.done !== true;

  useEffect(() => watch(section.current, pane.current, NEAR, (isNear) => (near.value ||= isNear)), []);
  useEffect(
    () =>
      watch(section.current, pane.current, LOOKED_AT, (isLookedAt) => {
        if (isLookedAt && !gaze.follows.peek() && !gaze.turned.peek()) gaze.page.value = number;
      }),
    [],
  );

  return (
    <article
      ref={section}
      class={`page ${alone ? "alone" : ""} ${beingRead ? "being-read" : ""}`}
      data-page={number}
    >
      {!alone && <div class="page-number">{number}</div>}
      {near.value && (view === "text" ? <Markdown text={markdown} /> : <pre class="source">{markdown}</pre>)}
      {beingRead && markdown === "" && <p class="quiet">Reading…</p>}
      {upload.status === "pending" && <p class="quiet">Waiting for the reader…</p>}
    </article>
  );
}

/** Keeps the end of the growing text in sight, until somebody scrolls away from it. */
function useFollowing(
  pane: { readonly current: HTMLDivElement | null },
  reading: Reading,
  { follows }: Gaze,
  reads: boolean,
): void {
  const { current } = reading;
  const text = current.value === null ? null : pageOf(reading, current.value).value;
  useEffect(() => {
    const box = pane.current;
    if (box === null || !reads) return;
    const heed = () => {
      follows.value = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PIXELS;
    };
    // Scrolling by the page itself says nothing; only what a person does counts.
    const stop = new AbortController();
    const later = () => requestAnimationFrame(heed);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerup"] as const) {
      box.addEventListener(kind, later, { signal: stop.signal, passive: true });
    }
    return () => stop.abort();
  }, [reads]);
  useEffect(() => {
    const box = pane.current;
    if (box !== null && reads && follows.value) box.scrollTop = box.scrollHeight;
  }, [text, reads, follows.value]);
}

/** A page that was turned to is scrolled to, and again when pages above it get their text and grow. */
function useTurningTo(pane: { readonly current: HTMLDivElement | null }, { page, follows, turned }: Gaze): void {
  const turn = () => {
    if (!turned.peek() || follows.peek()) return;
    const section = pane.current?.querySelector<HTMLElement>(`[data-page="${page.peek()}"]`);
    if (section) pane.current?.scrollTo({ top: section.offsetTop });
  };
  useEffect(turn, [page.value, turned.value]);
  useEffect(() => {
    const box = pane.current;
    if (box?.firstElementChild == null) return;
    const growing = new ResizeObserver(turn);
    growing.observe(box.firstElementChild);
    const stop = new AbortController();
    const release = () => (turned.value = false);
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"] as const) {
      box.addEventListener(kind, release, { signal: stop.signal, passive: true });
    }
    return () => (growing.disconnect(), stop.abort());
  }, []);
}

function watch(
  element: HTMLElement | null,
  root: HTMLElement | null,
  rootMargin: string,
  heed: (inside: boolean) => void,
): (() => void) | undefined {
  if (element === null) return undefined;
  const observer = new IntersectionObserver((entries) => heed(entries.at(-1)?.isIntersecting ?? false), { root, rootMargin });
  observer.observe(element);
  return () => observer.disconnect();
}
