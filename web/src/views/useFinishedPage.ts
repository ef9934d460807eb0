/** A finished page of the server, once it is wanted. */

import type { Signal } from "@preact/signals";
import type { Page } from "scanrill-client";
import { useEffect, useState } from "preact/hooks";

import { finishedPage, type Fetched } from "../state/pages.ts";

/** The page, or null while it is not there. */
export function useFinishedPage(uploadId: string, generation: number, number: number, wanted: boolean): Page | null {
  const [held, hold] = useState<{ readonly of: number; readonly page: Signal<Fetched> } | null>(null);
  useEffect(() => {
    hold(wanted ? { of: number, page: finishedPage(uploadId, generation, number) } : null);
  }, [uploadId, generation, number, wanted]);
  const fetched = held?.of === number ? held.page.value : null;
  return typeof fetched === "object" ? fetched : null;
}
