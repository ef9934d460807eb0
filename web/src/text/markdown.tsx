/**
 * Renderer from Markdown to elements.
 *
 * Recognized text is untrusted data. HTML in it is shown as text, unless it is in the server's notation: tables, and
 * raised and lowered text. Images are not fetched, and only http, https, mailto and tel URLs become links.
 */

import type { Nodes, Paragraph, Table, TableCell } from "mdast";
import type { ComponentChildren, VNode } from "preact";
import { useMemo } from "preact/hooks";

import { type HtmlCell, parseHtmlTable } from "./html_table";
import { type InlineNode, inlineText } from "./inline_html";
import { parseMarkdown, sourceText } from "./parsing";

const SAFE_LINK = /^(?:https?|mailto|tel):/i;
/** Tags of raised and lowered text. */
const SCRIPT_TAG = /^<(sup|sub)>$/;
/** Minimum median line length of prose, which is reflowed. Shorter lines, as on receipts, keep their line breaks. */
const PROSE_CHARACTERS = 40;
const HEADINGS = ["h2", "h3", "h4", "h5", "h6", "h6"] as const;

/** Render Markdown. Headings start at level 2, because level 1 is the title of the page. */
export function Markdown({ text }: { readonly text: string }): VNode {
  const tree = useMemo(() => parseMarkdown(text), [text]);
  return <>{children(tree.children)}</>;
}

function children(nodes: readonly Nodes[]): ComponentChildren {
  const shown: VNode[] = [];
  for (let index = 0; index < nodes.length; index += 1) {
    const node = nodes[index];
    if (node === undefined) break;
    const end = scriptEnd(nodes, index);
    if (node.type === "html" && end !== -1) {
      const Tag = node.value === "<sup>" ? "sup" : "sub";
      shown.push(<Tag key={index}>{children(nodes.slice(index + 1, end))}</Tag>);
      index = end;
    } else {
      shown.push(<Node key={index} node={node} />);
    }
  }
  return shown;
}

/** Return the index of the tag that ends raised or lowered text; -1 if none starts at `start`. */
function scriptEnd(nodes: readonly Nodes[], start: number): number {
  const node = nodes[start];
  const tag = node?.type === "html" ? SCRIPT_TAG.exec(node.value)?.[1] : undefined;
  if (tag === undefined) return -1;
  return nodes.findIndex((other, index) => index > start && other.type === "html" && other.value === `</${tag}>`);
}

function Node({ node }: { readonly node: Nodes }): ComponentChildren {
  switch (node.type) {
    case "text":
      return node.value;
    case "html": {
      const rows = parseHtmlTable(node.value);
      return rows === null ? node.value : <SpanningTable rows={rows} />;
    }
    case "formula":
      return <code class={node.isDisplayed ? "formula displayed" : "formula"}>{node.value}</code>;
    case "paragraph":
      return <p class={isProse(node) ? "prose" : "lines"}>{children(node.children)}</p>;
    case "heading": {
      const Heading = HEADINGS[node.depth - 1] ?? "h6";
      return <Heading>{children(node.children)}</Heading>;
    }
    case "emphasis":
      return <em>{children(node.children)}</em>;
    case "strong":
      return <strong>{children(node.children)}</strong>;
    case "delete":
      return <del>{children(node.children)}</del>;
    case "inlineCode":
      return <code>{node.value}</code>;
    case "code":
      return (
        <pre>
          <code>{node.value}</code>
        </pre>
      );
    case "break":
      return <br />;
    case "thematicBreak":
      return <hr />;
    case "blockquote":
      return <blockquote>{children(node.children)}</blockquote>;
    case "list":
      return node.ordered === true ? (
        <ol start={node.start ?? 1}>{children(node.children)}</ol>
      ) : (
        <ul>{children(node.children)}</ul>
      );
    case "listItem":
      return <li>{children(node.children)}</li>;
    case "table":
      return <MarkdownTable table={node} />;
    case "link":
      return <SafeLink href={node.url}>{children(node.children)}</SafeLink>;
    case "image":
    case "imageReference":
      return <span class="figure-caption">{node.alt ?? ""}</span>;
    case "linkReference":
      return <>{children(node.children)}</>;
    default:
      return null;
  }
}

function SafeLink({ href, children }: { readonly href: string; readonly children: ComponentChildren }): ComponentChildren {
  if (!SAFE_LINK.test(href)) return children;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function isProse(paragraph: Paragraph): boolean {
  const lengths = sourceText(paragraph)
    .split("\n")
    .map((line) => line.length)
    .sort((a, b) => a - b);
  return (lengths[Math.floor(lengths.length / 2)] ?? 0) >= PROSE_CHARACTERS;
}

function MarkdownTable({ table }: { readonly table: Table }): VNode {
  const [head, ...rows] = table.children;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>{head?.children.map((cell, column) => <Cell key={column} cell={cell} as="th" table={table} column={column} />)}</tr>
        </thead>
        <tbody>
          {rows.map((row, number) => (
            <tr key={number}>
              {row.children.map((cell, column) => (
                <Cell key={column} cell={cell} as="td" table={table} column={column} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CellProps {
  readonly cell: TableCell;
  readonly as: "th" | "td";
  readonly table: Table;
  readonly column: number;
}

function Cell({ cell, as: Tag, table, column }: CellProps): VNode {
  const wide = sourceText(cell).length >= PROSE_CHARACTERS ? " wide-cell" : "";
  return <Tag class={`align-${table.align?.[column] ?? "left"}${wide}`}>{children(cell.children)}</Tag>;
}

/** Show a table whose cells may span rows or columns. The first row is its head. */
function SpanningTable({ rows }: { readonly rows: readonly (readonly HtmlCell[])[] }): VNode {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <tbody>
          {rows.map((row, number) => {
            const Tag = number === 0 ? "th" : "td";
            return (
              <tr key={number}>
                {row.map((cell, column) => (
                  <Tag
                    key={column}
                    rowSpan={cell.rowSpan}
                    colSpan={cell.colSpan}
                    class={`align-left${inlineText(cell.content).length >= PROSE_CHARACTERS ? " wide-cell" : ""}`}
                  >
                    {inlineHtml(cell.content)}
                  </Tag>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function inlineHtml(nodes: readonly InlineNode[]): ComponentChildren {
  return nodes.map((node, index) => {
    if (typeof node === "string") return node;
    const Tag = node.tag;
    const content = inlineHtml(node.content);
    return Tag === "a" ? (
      <SafeLink key={index} href={node.href}>
        {content}
      </SafeLink>
    ) : (
      <Tag key={index}>{content}</Tag>
    );
  });
}
