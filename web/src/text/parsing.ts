/**
 * Parser from Markdown to a tree, with limits: recognized text is untrusted, and the parser's time is quadratic in
 * nested lists, long lines and long paragraphs. A line of 50 KB of `1. 1. 1. …` took 54 s.
 *
 * What exceeds a limit is shown as it is written.
 */

import type { Nodes, Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";

import { formulaFromMarkdown, formulaSyntax } from "./formula";

/** Lists and quotes that one line may begin. Deeper text of a page is not legible. */
const MAX_NESTED_MARKERS = 10;
/** A full page of small print has 10,000 characters. */
const MAX_LINE_CHARACTERS = 10_000;
/** Characters and lines without a blank line between them; tables may have more. */
const MAX_BLOCK_CHARACTERS = 20_000;
const MAX_BLOCK_LINES = 2_000;
/** Characters of a page that are parsed; the rest is shown as it is written. */
const MAX_PAGE_CHARACTERS = 200_000;

const MARKER = /[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$))/y;
const DELIMITER_ROW = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t:|-]*)?$/;

/** Parse the Markdown of a page. */
export function parseMarkdown(text: string): Root {
  const children: RootContent[] = [];
  for (const { source, isParsed } of segments(text)) {
    if (isParsed) children.push(...parse(source).children);
    else children.push({ type: "paragraph", children: [{ type: "text", value: source }] });
  }
  return { type: "root", children };
}

function parse(source: string): Root {
  return fromMarkdown(source, {
    extensions: [gfmTable(), gfmStrikethrough({ singleTilde: false }), formulaSyntax],
    mdastExtensions: [gfmTableFromMarkdown(), gfmStrikethroughFromMarkdown(), formulaFromMarkdown],
  });
}

interface Segment {
  readonly source: string;
  readonly isParsed: boolean;
}

/** Split a page before and after its blocks that are over the limits. */
function* segments(text: string): Generator<Segment> {
  let parsed: string[] = [];
  let rest = MAX_PAGE_CHARACTERS;
  for (const block of text.split(/\n(?=[ \t]*\n)/)) {
    rest -= block.length;
    if (rest >= 0 && isWithinLimits(block)) {
      parsed.push(block.split("\n").map(limitNesting).join("\n"));
    } else {
      if (parsed.length > 0) yield { source: parsed.join("\n"), isParsed: true };
      parsed = [];
      yield { source: block.trim(), isParsed: false };
    }
  }
  if (parsed.length > 0) yield { source: parsed.join("\n"), isParsed: true };
}

function isWithinLimits(block: string): boolean {
  if (block.length <= MAX_BLOCK_LINES) return true;
  const lines = block.split("\n");
  if (lines.some((line) => line.length > MAX_LINE_CHARACTERS)) return false;
  if (block.length <= MAX_BLOCK_CHARACTERS && lines.length <= MAX_BLOCK_LINES) return true;
  return lines.slice(1, 2).some((line) => line.includes("|") && DELIMITER_ROW.test(line));
}

/** Escape the first marker of a line that would begin one list or quote too many. */
function limitNesting(line: string): string {
  MARKER.lastIndex = 0;
  for (let count = 0; count < MAX_NESTED_MARKERS; count += 1) if (!MARKER.test(line)) return line;
  const last = MARKER.lastIndex;
  if (!MARKER.test(line)) return line;
  const mark = MARKER.lastIndex - 1;
  return mark < last ? line : `${line.slice(0, mark)}\\${line.slice(mark)}`;
}

/** Return the characters of a node that are shown, without markup. */
export function sourceText(node: Nodes): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(sourceText).join("") : "";
}
