/** How an upload is doing, in a few words. */

import type { Instance } from "scanrill-client";

export function statusText({ status, page_count: count, pages_done: done }: Instance): string {
  switch (status) {
    case "pending":
      return "Waiting";
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
const OLD_SECONDS = 7 * 86_400;

/** "3 minutes ago", or the date of what is older than a week. */
export function relativeTime(iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds > OLD_SECONDS) return new Date(iso).toLocaleDateString();
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 0];
  return size === 0 ? "just now" : relative.format(-Math.floor(seconds / size), unit);
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
