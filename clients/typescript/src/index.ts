/**
 * TypeScript client of the scanrill API.
 *
 * `ScanrillSocket` sends requests over the WebSocket and reports upload events. `ScanrillRest` transfers files and
 * pages. `CookieSession` supplies access tokens in a browser.
 */

export { Backoff } from "./backoff.ts";
export {
  ConnectionLost,
  ReadingFailed,
  RequestError,
  ScanrillError,
  Unauthenticated,
  ServerUnreachable,
  type FieldErrors,
} from "./errors.ts";
export type * from "./keys.ts";
export * from "./protocol.ts";
export type { PageComparison, Reading, ReadingComparison, ReadingInfo, WordChange } from "./readings.ts";
export { ScanrillRest } from "./rest.ts";
export type * from "./rest-types.ts";
export type * from "./search.ts";
export { CookieSession } from "./session.ts";
export { ScanrillSocket, socketUrl } from "./socket.ts";
export type * from "./socket-options.ts";
export { staticToken, type TokenSource } from "./token.ts";
