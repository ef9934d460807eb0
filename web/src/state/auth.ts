/** Authentication state. Signs in with a link code, with a password or with the session cookie. */

import { signal } from "@preact/signals";
import { Unauthenticated, ServerUnreachable, type Me } from "scanrill-client";

import * as connection from "./connection.ts";
import { rest, session } from "./api.ts";

export type AuthState =
  | { readonly kind: "unknown" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "signedOut"; readonly notice: string }
  | { readonly kind: "user"; readonly me: Me };

export const authState = signal<AuthState>({ kind: "unknown" });

/** Set while a session cookie may exist. Scripts cannot see the cookie, so this key saves a request without one. */
const SIGNED_IN_KEY = "scanrill.signed-in";
const RETRY_MS = 3000;
const INVALID_LINK = "This sign-in link was already used or is older than 10 minutes. Run `scanrill link` to create a new one.";

/** Sign in with the code in the address or with the session cookie, if there is one. */
export async function initAuth(): Promise<void> {
  const code = consumeSignInCode();
  if (code !== null) await signInWithCode(code);
  else if (localStorage.getItem(SIGNED_IN_KEY) === null) authState.value = { kind: "signedOut", notice: "" };
  else await resume();
}

/** Sign in with username and password. Throws `RequestError` if they are wrong. */
export async function signIn(username: string, password: string): Promise<void> {
  await session.signIn(username, password);
  await onSignedIn();
}

/** Sign in with a sign-in link or its code. Throws `RequestError` if it is not valid. */
export async function signInWithLink(text: string): Promise<void> {
  await session.signInWithCode(text.trim().replace(/^.*#code=/, ""));
  await onSignedIn();
}

/** Remove the user's data from the page and end the session. */
export async function signOut(): Promise<void> {
  onSignedOut("");
  await session.signOut();
}

/** Show the sign-in form because the server rejected the session. */
export function onSessionExpired(): void {
  onSignedOut("You were signed out. Sign in again.");
}

async function signInWithCode(code: string): Promise<void> {
  try {
    await signInWithLink(code);
  } catch (error) {
    authState.value = { kind: "signedOut", notice: error instanceof ServerUnreachable ? error.message : INVALID_LINK };
  }
}

/** Sign in with the session cookie; retry while the server is unreachable. */
async function resume(): Promise<void> {
  try {
    await onSignedIn();
  } catch (error) {
    if (error instanceof Unauthenticated) {
      onSessionExpired();
    } else {
      authState.value = { kind: "unreachable" };
      setTimeout(() => void resume(), RETRY_MS);
    }
  }
}

async function onSignedIn(): Promise<void> {
  const me = await rest.me();
  localStorage.setItem(SIGNED_IN_KEY, "yes");
  authState.value = { kind: "user", me };
  connection.open(onSessionExpired);
}

function onSignedOut(notice: string): void {
  localStorage.removeItem(SIGNED_IN_KEY);
  connection.close();
  authState.value = { kind: "signedOut", notice };
}

/** Return the code in the address and remove it, so that it does not stay in the history. */
function consumeSignInCode(): string | null {
  const found = /^#code=(.+)$/.exec(window.location.hash);
  if (found === null) return null;
  history.replaceState(null, "", window.location.pathname);
  return found[1] ?? null;
}
