/** A client of scanrill's API. `ScanrillSocket` for what happens, `ScanrillRest` for files, `CookieSession` for tokens. */

export { Backoff } from "./backoff.ts";
export {
  ConnectionLost,
  RequestRefused,
  ScanrillError,
  Unauthenticated,
  Unreachable,
  type FieldErrors,
} from "./errors.ts";
export * from "./protocol.ts";
export { ScanrillRest, type Engines, type Me, type UploadOptions } from "./rest.ts";
export { CookieSession } from "./session.ts";
export { ScanrillSocket, type ConnectionState, type SocketListener, type SocketOptions } from "./socket.ts";
export { fixedToken, type TokenSource } from "./token.ts";
