/** Image of the current page, with the places of its warnings and the line that the server is reading. */

import type { Box, Instance, LinePosition, Page, PageWarning, SearchHit } from "scanrill-client";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { pageImage, requestImage, type PageImage } from "../state/page-images.ts";
import { livePage, type LiveText } from "../state/live-text.ts";
import { hasPage, shownPages, type PagePosition } from "./page-position.ts";
import { useFinishedPage } from "./useFinishedPage.ts";

interface Props {
  readonly upload: Instance;
  readonly liveText: LiveText;
  readonly revision: number;
  readonly position: PagePosition;
  /** The hit of the search that is open. */
  readonly hit: SearchHit | null;
}

/** Requested widths, for standard and for high-density screens. The server renders a few fixed widths. */
const STANDARD_WIDTH = 1200;
const HIGH_DPI_WIDTH = 1600;

export function PageImagePane({ upload, liveText, revision, position, hit }: Props): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const number = position.page.value;
  const request = { uploadId: upload.id, number, width: window.devicePixelRatio > 1 ? HIGH_DPI_WIDTH : STANDARD_WIDTH };
  const image = pageImage(request).value;
  const live = livePage(liveText, number).value;
  const line = liveText.current.value === number ? (live?.line ?? null) : null;
  const found = hit?.page === number ? hit : null;
  const isShown = image.kind !== "loading" && image.kind !== "failed";
  const page = useFinishedPage(upload.id, revision, number, live?.done === true || hasPage(upload, number));

  useEffect(() => requestImage(request), [request.uploadId, request.number, request.width]);
  useEffect(() => {
    if (line !== null && position.isFollowing.peek()) scrollLineIntoView(pane.current, line);
  }, [line]);
  useEffect(() => {
    const box = found?.lines[0]?.boxes[0];
    if (isShown && found?.height && box !== undefined) scrollLineIntoView(pane.current, { box, height: found.height });
  }, [found, isShown]);

  return (
    <section class="image-pane" aria-label="Page image">
      <Pager position={position} count={Math.max(upload.page_count ?? 1, shownPages(upload))} />
      <div class="image-scroll" ref={pane} tabIndex={0}>
        <PageImageView {...{ image, number, line, page, hit: found }} shownError={upload.error} />
      </div>
    </section>
  );
}

interface PageImageViewProps {
  readonly image: PageImage;
  readonly number: number;
  readonly line: LinePosition | null;
  readonly page: Page | null;
  readonly hit: SearchHit | null;
  /** The error that the page already shows for the upload; not repeated here. */
  readonly shownError: string | null;
}

function PageImageView({ image, number, line, page, hit, shownError }: PageImageViewProps): VNode {
  if (image.kind === "failed") {
    return <p class="muted no-image">{image.message === shownError ? "No image available for this page." : image.message}</p>;
  }
  if (image.kind === "loading") return <div class="page-image loading" aria-busy="true" />;
  const size = line ?? page ?? sizeOf(hit);
  return (
    <div class="page-image">
      <img src={image.url} alt={`Page ${number} of the scan`} />
      {size !== null && size.width > 0 && (
        <svg viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" aria-hidden="true">
          {page?.warnings.map((warning, index) => <WarningOverlay key={`warning ${index}`} warning={warning} />)}
          {line === null && page?.lines.map(({ box, text }, index) => box && <LineOverlay key={index} box={box} text={text} />)}
          {hit?.lines.flatMap(({ boxes }) => boxes).map((box, index) => <polygon key={`hit ${index}`} class="hit" points={points(box)} />)}
          {line !== null && <polygon class="current-line" points={points(line.box)} />}
        </svg>
      )}
    </div>
  );
}

function sizeOf(hit: SearchHit | null): { width: number; height: number } | null {
  return hit?.width && hit.height ? { width: hit.width, height: hit.height } : null;
}

/** Outline of a finished line, with its text as tooltip. */
function LineOverlay({ box, text }: { readonly box: Box; readonly text: string }): VNode {
  return (
    <polygon class="line" points={points(box)}>
      <title>{text}</title>
    </polygon>
  );
}

/** Outlines of the places of a warning, with its message as tooltip. They are below the lines, which have tooltips too. */
function WarningOverlay({ warning: { boxes, message } }: { readonly warning: PageWarning }): VNode {
  return (
    <g class="warning">
      <title>{message}</title>
      {boxes.map((box, index) => (
        <polygon key={index} points={points(box)} />
      ))}
    </g>
  );
}

interface PagerProps {
  readonly position: PagePosition;
  readonly count: number;
}

function Pager({ position: { page, isFollowing, isPinned }, count }: PagerProps): VNode | null {
  if (count < 2) return null;
  const goTo = (number: number) => {
    isFollowing.value = false;
    isPinned.value = true;
    page.value = Math.min(count, Math.max(1, number));
  };
  return (
    <div class="pager">
      <button type="button" aria-label="Previous page" disabled={page.value <= 1} onClick={() => goTo(page.value - 1)}>
        ‹
      </button>
      <label>
        Page
        <input
          type="number"
          min={1}
          max={count}
          value={page.value}
          onChange={(event) => goTo(event.currentTarget.valueAsNumber || 1)}
        />
        of {count}
      </label>
      <button type="button" aria-label="Next page" disabled={page.value >= count} onClick={() => goTo(page.value + 1)}>
        ›
      </button>
    </div>
  );
}

function points(box: Box): string {
  return box.map(([x, y]) => `${x},${y}`).join(" ");
}

/** Scroll the image so that the line is about a third from the top, unless it is already well in view. */
function scrollLineIntoView(pane: HTMLDivElement | null, { box, height }: Pick<LinePosition, "box" | "height">): void {
  if (pane === null) return;
  const y = ((box[0]?.[1] ?? 0) / height) * pane.scrollHeight;
  const above = y < pane.scrollTop + pane.clientHeight * 0.1;
  const below = y > pane.scrollTop + pane.clientHeight * 0.75;
  if (above || below) pane.scrollTo({ top: y - pane.clientHeight / 3, behavior: "smooth" });
}
