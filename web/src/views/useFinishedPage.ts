/** Hook for a finished page. */

import type { Signal } from "@preact/signals";
import type { Page } from "scanrill-client";
import { useEffect, useState } from "preact/hooks";

import { finishedPage, type PageResult } from "../state/page-cache.ts";

/** Fetch a page while `isWanted` is true. Return null until it is loaded. */
export function useFinishedPage(uploadId: string, revision: number, number: number, isWanted: boolean): Page | null {
  const [request, setRequest] = useState<{ readonly of: number; readonly page: Signal<PageResult> } | null>(null);
  useEffect(() => {
    setRequest(isWanted ? { of: number, page: finishedPage(uploadId, revision, number) } : null);
  }, [uploadId, revision, number, isWanted]);
  const result = request?.of === number ? request.page.value : null;
  return typeof result === "object" ? result : null;
}
