/**
 * Parser of the inline HTML that the server writes: in the cells of HTML tables, and as `<sup>` and `<sub>` in Markdown.
 *
 * It accepts exactly that notation. Other HTML is recognized text, and is shown as text.
 */

export type InlineTag = "a" | "b" | "code" | "i" | "s" | "sub" | "sup";

export interface InlineElement {
  readonly tag: InlineTag;
  /** Address of an `a`; empty for other tags. */
  readonly href: string;
  readonly content: readonly InlineNode[];
}

export type InlineNode = InlineElement | string;

const TAG = /<(?:a href="[^"<>]*"|\/?(?:b|code|i|s|sub|sup)|\/a)>/g;
const OPENING = /^<(a|b|code|i|s|sub|sup)(?: href="([^"]*)")?>$/;

/** Return the content of a cell. A tag without its counterpart is text. */
export function parseInlineHtml(html: string): readonly InlineNode[] {
  const tokens = splitAtTags(html);
  return parseUntil(tokens, 0, tokens.length);
}

function splitAtTags(html: string): readonly string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const found of html.matchAll(TAG)) {
    tokens.push(html.slice(end, found.index), found[0]);
    end = found.index + found[0].length;
  }
  return [...tokens, html.slice(end)].filter((token) => token !== "");
}

function parseUntil(tokens: readonly string[], start: number, end: number): readonly InlineNode[] {
  const nodes: InlineNode[] = [];
  for (let index = start; index < end; index += 1) {
    const token = tokens[index] ?? "";
    const [, tag, href] = OPENING.exec(token) ?? [];
    const close = tag === undefined ? -1 : tokens.indexOf(`</${tag}>`, index + 1);
    if (tag !== undefined && close !== -1 && close < end) {
      nodes.push({ tag: tag as InlineTag, href: unescapeHtml(href ?? ""), content: parseUntil(tokens, index + 1, close) });
      index = close;
    } else {
      nodes.push(unescapeHtml(token));
    }
  }
  return nodes;
}

/** Return the text that a reader of the cell sees. */
export function inlineText(nodes: readonly InlineNode[]): string {
  return nodes.map((node) => (typeof node === "string" ? node : inlineText(node.content))).join("");
}

function unescapeHtml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}
