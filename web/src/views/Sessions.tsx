/** The user's name, and behind it the dialog with the places where the user is signed in. */

import type { Session } from "scanrill-client";
import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";

import { rest } from "../state/api.ts";
import { errorMessage } from "../state/error-message.ts";
import { relativeTime } from "./format.ts";

interface Props {
  readonly username: string;
  readonly title: string;
}

export function Sessions({ username, title }: Props): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const sessions = useSignal<readonly Session[]>([]);
  const errorText = useSignal("");

  const load = async () => {
    try {
      sessions.value = await rest.sessions();
      errorText.value = "";
    } catch (error) {
      errorText.value = errorMessage(error);
    }
  };
  const open = () => {
    dialog.current?.showModal();
    void load();
  };
  const end = async (id: string) => {
    try {
      await rest.endSession(id);
    } catch {
      // The list shows whether it has ended.
    }
    await load();
  };

  return (
    <>
      <button type="button" class="plain username" title={title} aria-haspopup="dialog" onClick={open}>
        {username}
      </button>
      <dialog ref={dialog} class="list-dialog" aria-labelledby="sessions-title">
        <h2 id="sessions-title">Where you are signed in</h2>
        {errorText.value === "" ? null : (
          <p class="form-error" role="alert">
            {errorText.value}
          </p>
        )}
        <ul>
          {sessions.value.map((session) => (
            <SessionItem key={session.id} session={session} onEnd={() => void end(session.id)} />
          ))}
        </ul>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}

function SessionItem({ session, onEnd }: { readonly session: Session; readonly onEnd: () => void }): VNode {
  const device = deviceName(session.user_agent);
  return (
    <li>
      <span class="item" title={session.user_agent}>
        {device}
        <small>
          {session.address} · {session.current ? "this browser" : relativeTime(session.last_used_at)}
        </small>
      </span>
      {session.current ? null : (
        <button type="button" aria-label={`Sign out ${device}`} onClick={onEnd}>
          Sign out
        </button>
      )}
    </li>
  );
}

const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari"];
const NAMES: Readonly<Record<string, string>> = { Edg: "Edge", OPR: "Opera" };
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"];

/** Return a short name of a browser and its system, or the first words of another program's name. */
function deviceName(userAgent: string): string {
  const browser = BROWSERS.find((name) => userAgent.includes(`${name}/`));
  const system = SYSTEMS.find((name) => userAgent.includes(name));
  if (browser === undefined) return userAgent.slice(0, 40) || "Unknown program";
  return `${NAMES[browser] ?? browser}${system === undefined ? "" : ` on ${system}`}`;
}
