/** Error messages for users. */

import { ScanrillError } from "scanrill-client";

/** Return a message for `error`; log errors that the client package does not define. */
export function errorMessage(error: unknown): string {
  if (error instanceof ScanrillError) return error.message;
  console.error(error);
  return "An unexpected error occurred. Reload the page.";
}
