/** The picture of the page that is looked at, with the line that is being read marked on it. */

import type { Box, Instance, LinePlace, Page } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { lookAt, pictureOf, type Picture } from "../state/pictures.ts";
import { pageOf, type Reading } from "../state/reading.ts";
import { hasPage, shownPages, type Gaze } from "./gaze.ts";
import { useFinishedPage } from "./useFinishedPage.ts";

interface Props {
  readonly upload: Instance;
  readonly reading: Reading;
  readonly generation: number;
  readonly gaze: Gaze;
}

/** The server draws a few widths; one is enough for every pane up to this, twice for fine screens. */
const WIDTH = 1200;
const FINE_WIDTH = 1600;

export function PicturePane({ upload, reading, generation, gaze }: Props): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const number = gaze.page.value;
  const view = { uploadId: upload.id, number, width: window.devicePixelRatio > 1 ? FINE_WIDTH : WIDTH };
  const picture = pictureOf(view).value;
  const live = pageOf(reading, number).value;
  const line = reading.current.value === number ? (live?.line ?? null) : null;
  const page = useFinishedPage(upload.id, generation, number, live?.done === true || hasPage(upload, number));

  useEffect(() => lookAt(view), [view.uploadId, view.number, view.width]);
  useEffect(() => {
    if (line !== null && gaze.follows.peek()) keepInSight(pane.current, line);
  }, [line]);

  return (
    <section class="picture-pane" aria-label="The scan">
      <Pager gaze={gaze} count={Math.max(upload.page_count ?? 1, shownPages(upload))} />
      <div class="picture-scroll" ref={pane} tabIndex={0}>
        <Sheet {...{ picture, number, line, page }} told={upload.error} />
      </div>
    </section>
  );
}

interface SheetProps {
  readonly picture: Picture;
  readonly number: number;
  readonly line: LinePlace | null;
  readonly page: Page | null;
  /** What is wrong with the upload, which is said already. */
  readonly told: string | null;
}

function Sheet({ picture, number, line, page, told }: SheetProps): VNode {
  if (picture.kind === "failed") {
    return <p class="quiet no-picture">{picture.why === told ? "There is no picture of this page." : picture.why}</p>;
  }
  if (picture.kind === "coming") return <div class="sheet coming" aria-busy="true" />;
  const size = line ?? page;
  return (
    <div class="sheet">
      <img src={picture.url} alt={`Page ${number} of the scan`} />
      {size !== null && size.width > 0 && (
        <svg viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" aria-hidden="true">
          {line === null && page?.lines.map(({ box, text }, index) => box && <ReadLine key={index} box={box} text={text} />)}
          {line !== null && <polygon class="being-read" points={points(line.box)} />}
        </svg>
      )}
    </div>
  );
}

/** A finished line: pointed at, it says what was read there. */
function ReadLine({ box, text }: { readonly box: Box; readonly text: string }): VNode {
  return (
    <polygon class="read" points={points(box)}>
      <title>{text}</title>
    </polygon>
  );
}

interface PagerProps {
  readonly gaze: Gaze;
  readonly count: number;
}

function Pager({ gaze: { page, follows, turned }, count }: PagerProps): VNode | null {
  if (count < 2) return null;
  const go = (number: number) => {
    follows.value = false;
    turned.value = true;
    page.value = Math.min(count, Math.max(1, number));
  };
  return (
    <div class="pager">
      <button type="button" aria-label="Page before" disabled={page.value <= 1} onClick={() => go(page.value - 1)}>
        ‹
      </button>
      <label>
        Page
        <input
          type="number"
          min={1}
          max={count}
          value={page.value}
          onChange={(event) => go(event.currentTarget.valueAsNumber || 1)}
        />
        of {count}
      </label>
      <button type="button" aria-label="Page after" disabled={page.value >= count} onClick={() => go(page.value + 1)}>
        ›
      </button>
    </div>
  );
}

function points(box: Box): string {
  return box.map(([x, y]) => `${x},${y}`).join(" ");
}

/** Scrolls the picture so that the line stands in its middle third; most lines need no scrolling. */
function keepInSight(pane: HTMLDivElement | null, { box, height }: LinePlace): void {
  if (pane === null) return;
  const y = ((box[0]?.[1] ?? 0) / height) * pane.scrollHeight;
  const above = y < pane.scrollTop + pane.clientHeight * 0.1;
  const below = y > pane.scrollTop + pane.clientHeight * 0.75;
  if (above || below) pane.scrollTo({ top: y - pane.clientHeight / 3, behavior: "smooth" });
}
