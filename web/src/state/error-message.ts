/** What went wrong, said to a person. */

import { ScanrillError } from "scanrill-client";

export function errorMessage(error: unknown): string {
  if (error instanceof ScanrillError) return error.message;
  console.error(error);
  return "Something went wrong in this page; reload it.";
}
