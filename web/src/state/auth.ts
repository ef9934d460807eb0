/** Who is here. Signs in by the link's code, by password or by what the cookie still knows. */

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

/** Says that a cookie may be there, which no script can see: without it the server is not asked in vain. */
const SIGNED_IN_KEY = "scanrill.signed-in";
const RETRY_MS = 3000;
const INVALID_LINK = "This link was used before, or is older than 10 minutes. `scanrill link` prints a new one.";

/** At the start of the page. */
export async function initAuth(): Promise<void> {
  const code = consumeSignInCode();
  if (code !== null) await signInWithCode(code);
  else if (localStorage.getItem(SIGNED_IN_KEY) === null) authState.value = { kind: "signedOut", notice: "" };
  else await resume();
}

export async function signIn(username: string, password: string): Promise<void> {
  await session.signIn(username, password);
  await onSignedIn();
}

/** A link from the terminal, or the code in it. Throws where it is none. */
export async function signInWithLink(text: string): Promise<void> {
  await session.signInWithCode(text.trim().replace(/^.*#code=/, ""));
  await onSignedIn();
}

export async function signOut(): Promise<void> {
  onSignedOut("");
  await session.signOut();
}

/** The server no longer knows whoever was here. */
export function onSessionExpired(): void {
  onSignedOut("You were signed out. Sign in to go on.");
}

async function signInWithCode(code: string): Promise<void> {
  try {
    await signInWithLink(code);
  } catch (error) {
    authState.value = { kind: "signedOut", notice: error instanceof ServerUnreachable ? error.message : INVALID_LINK };
  }
}

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

/** From the address, where nobody is to see it for longer than needed. */
function consumeSignInCode(): string | null {
  const found = /^#code=(.+)$/.exec(window.location.hash);
  if (found === null) return null;
  history.replaceState(null, "", window.location.pathname);
  return found[1] ?? null;
}
