/** The server that this page came from: the one session, REST, and the one socket while somebody is signed in. */

import { CookieSession, ScanrillRest, ScanrillSocket, type SocketListener } from "scanrill-client";

const base = window.location.origin;

export const session = new CookieSession(base);
export const rest = new ScanrillRest(base, session.token);

let socket: ScanrillSocket | null = null;

/** Follows all uploads of the user, their text page by page. */
export function openSocket(listener: SocketListener): void {
  closeSocket();
  const url = new URL("/ws/core/upload/", base.replace(/^http/, "ws")).href;
  socket = new ScanrillSocket({ url, token: session.token, stream: "pages", listener });
  socket.start();
}

export function closeSocket(): void {
  socket?.stop();
  socket = null;
}

/** Does not wait for the next attempt to connect. */
export function retryNow(): void {
  socket?.retryNow();
}

/** The socket; throws where nobody is signed in, as then nothing that needs it is on the page. */
export function requireSocket(): ScanrillSocket {
  if (socket === null) throw new Error("nobody is signed in");
  return socket;
}
