/** A sentence of the program's own; what is to be typed stands between `backticks` in it. */

import type { VNode } from "preact";

const BACKTICKED = /`([^`]+)`/;

export function InlineCode({ text }: { readonly text: string }): VNode {
  // Every second part is what the expression took hold of.
  return <>{text.split(BACKTICKED).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
