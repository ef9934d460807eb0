/** Clients of the server that delivered the page: session, REST, and one socket while a user is signed in. */

import { CookieSession, ScanrillRest, ScanrillSocket, type SocketListener } from "scanrill-client";

// The directory of the page: a reverse proxy may serve it below any path.
const base = new URL(".", window.location.href).href.replace(/\/$/, "");

export const session = new CookieSession(base);
export const rest = new ScanrillRest(base, session.token);

let socket: ScanrillSocket | null = null;

/** Open a socket for all uploads of the user, with live text per page. */
export function openSocket(listener: SocketListener): void {
  closeSocket();
  const url = `${base.replace(/^http/, "ws")}/ws/core/upload/`;
  socket = new ScanrillSocket({ url, token: session.token, stream: "pages", listener });
  socket.start();
}

export function closeSocket(): void {
  socket?.stop();
  socket = null;
}

/** Reconnect immediately if the socket waits for its next attempt. */
export function retryNow(): void {
  socket?.retryNow();
}

/** Return the open socket. Throws if no user is signed in; the page shows no action that needs it then. */
export function requireSocket(): ScanrillSocket {
  if (socket === null) throw new Error("Not signed in.");
  return socket;
}
