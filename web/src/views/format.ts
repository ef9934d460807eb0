/** Formatting of status, times and sizes. */

import type { Instance } from "scanrill-client";

/** Return the status of an upload in a few words. */
export function statusText({ status, page_count: count, pages_done: done }: Instance): string {
  switch (status) {
    case "pending":
      return "Queued";
    case "processing":
      return count !== null && count > 1 ? `Reading page ${Math.min(done + 1, count)} of ${count}` : "Reading";
    case "processed":
      return count === 1 ? "1 page" : `${count ?? 0} pages`;
    case "error":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const MAX_RELATIVE_SECONDS = 7 * 86_400;

/** Return a time such as "3 minutes ago", or the date if it is more than a week ago. */
export function relativeTime(iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds > MAX_RELATIVE_SECONDS) return new Date(iso).toLocaleDateString();
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 0];
  return size === 0 ? "just now" : relative.format(-Math.floor(seconds / size), unit);
}

/** Return a size in bytes, kB or MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
