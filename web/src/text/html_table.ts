/**
 * Parser of the HTML tables that the server writes for tables whose cells span rows or columns.
 *
 * It accepts exactly that notation. Other HTML is recognized text, and is shown as text.
 */

import { type InlineNode, parseInlineHtml } from "./inline_html";

export interface HtmlCell {
  readonly content: readonly InlineNode[];
  readonly rowSpan: number;
  readonly colSpan: number;
}

const TABLE = /^<table>\n((?:<tr>.*<\/tr>\n)+)<\/table>$/;
const CELL = /<t[hd](?: rowspan="(\d{1,4})")?(?: colspan="(\d{1,4})")?>(.*?)<\/t[hd]>/g;

/** Return the rows of a table; null for other HTML. */
export function parseHtmlTable(html: string): HtmlCell[][] | null {
  const rows = TABLE.exec(html)?.[1];
  return rows === undefined ? null : rows.trimEnd().split("\n").map(parseRow);
}

function parseRow(row: string): HtmlCell[] {
  return [...row.matchAll(CELL)].map(([, rowSpan, colSpan, content]) => ({
    content: parseInlineHtml(content ?? ""),
    rowSpan: Number(rowSpan ?? 1),
    colSpan: Number(colSpan ?? 1),
  }));
}
