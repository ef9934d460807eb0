/** Drop-down menu. It closes on a choice, on Escape, and when pointer or focus move outside. */

import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  readonly title: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Menu({ title, class: className = "", children }: Props): VNode {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const controller = new AbortController();
    const closeOutside = ({ target }: Event) => menu.current?.contains(target as Node) === false && close(menu.current);
    for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, closeOutside, { signal: controller.signal });
    return () => controller.abort();
  }, []);
  return (
    <details ref={menu} class={`menu ${className}`} onClick={closeOnChoice} onKeyDown={closeOnEscape}>
      <summary>{title}</summary>
      <div class="menu-items">{children}</div>
    </details>
  );
}

function closeOnChoice({ currentTarget, target }: MouseEvent): void {
  if ((target as Element).closest("button") !== null) close(currentTarget as HTMLDetailsElement);
}

function closeOnEscape({ currentTarget, key }: KeyboardEvent): void {
  const menu = currentTarget as HTMLDetailsElement;
  if (key !== "Escape" || !menu.open) return;
  close(menu);
  menu.querySelector("summary")?.focus();
}

function close(menu: HTMLDetailsElement): void {
  menu.open = false;
}
