/** Who is here. Signs in by the link's code, by password or by what the cookie still knows. */

import { signal } from "@preact/signals";
import { Unauthenticated, Unreachable, type Me } from "scanrill-client";

import * as connection from "./connection.ts";
import { rest, session } from "./server.ts";

export type Visitor =
  | { readonly kind: "unknown" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "nobody"; readonly notice: string }
  | { readonly kind: "user"; readonly me: Me };

export const visitor = signal<Visitor>({ kind: "unknown" });

/** Says that a cookie may be there, which no script can see: without it the server is not asked in vain. */
const SIGNED_IN = "scanrill.signed-in";
const AGAIN_MS = 3000;
const USED_CODE = "This link was used before, or is older than 10 minutes. `scanrill link` prints a new one.";

/** At the start of the page. */
export async function begin(): Promise<void> {
  const code = takeCode();
  if (code !== null) await signInWithCode(code);
  else if (localStorage.getItem(SIGNED_IN) === null) visitor.value = { kind: "nobody", notice: "" };
  else await resume();
}

export async function signIn(username: string, password: string): Promise<void> {
  await session.signIn(username, password);
  await enter();
}

/** A link from the terminal, or the code in it. Throws where it is none. */
export async function signInWithLink(text: string): Promise<void> {
  await session.signInWithCode(text.trim().replace(/^.*#code=/, ""));
  await enter();
}

export async function signOut(): Promise<void> {
  leave("");
  await session.signOut();
}

/** The server no longer knows whoever was here. */
export function expired(): void {
  leave("You were signed out. Sign in to go on.");
}

async function signInWithCode(code: string): Promise<void> {
  try {
    await signInWithLink(code);
  } catch (error) {
    visitor.value = { kind: "nobody", notice: error instanceof Unreachable ? error.message : USED_CODE };
  }
}

async function resume(): Promise<void> {
  try {
    await enter();
  } catch (error) {
    if (error instanceof Unauthenticated) {
      expired();
    } else {
      visitor.value = { kind: "unreachable" };
      setTimeout(() => void resume(), AGAIN_MS);
    }
  }
}

async function enter(): Promise<void> {
  const me = await rest.me();
  localStorage.setItem(SIGNED_IN, "yes");
  visitor.value = { kind: "user", me };
  connection.open(expired);
}

function leave(notice: string): void {
  localStorage.removeItem(SIGNED_IN);
  connection.close();
  visitor.value = { kind: "nobody", notice };
}

/** From the address, where nobody is to see it for longer than needed. */
function takeCode(): string | null {
  const found = /^#code=(.+)$/.exec(window.location.hash);
  if (found === null) return null;
  history.replaceState(null, "", window.location.pathname);
  return found[1] ?? null;
}
