/**
 * TypeScript client of the scanrill API.
 *
 * `ScanrillSocket` sends requests over the WebSocket and reports upload events. `ScanrillRest` transfers files and
 * pages. `CookieSession` supplies access tokens in a browser.
 */

export { Backoff } from "./backoff.ts";
export {
  ConnectionLost,
  RequestError,
  ScanrillError,
  Unauthenticated,
  ServerUnreachable,
  type FieldErrors,
} from "./errors.ts";
export type * from "./keys.ts";
export * from "./protocol.ts";
export type { PageComparison, Reading, ReadingComparison, ReadingInfo, WordChange } from "./readings.ts";
export {
  ScanrillRest,
  type Engines,
  type ExportFormat,
  type ExportOptions,
  type Me,
  type Session,
  type UploadOptions,
} from "./rest.ts";
export type * from "./search.ts";
export { CookieSession } from "./session.ts";
export { ScanrillSocket, type ConnectionState, type SocketListener, type SocketOptions } from "./socket.ts";
export { staticToken, type TokenSource } from "./token.ts";
