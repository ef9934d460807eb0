/** Message text in which `backticks` mark code, such as a command to type. */

import type { VNode } from "preact";

const BACKTICKED = /`([^`]+)`/;

export function InlineCode({ text }: { readonly text: string }): VNode {
  // `split` with a capturing group returns the captured text at odd indexes.
  return <>{text.split(BACKTICKED).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
