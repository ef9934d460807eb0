/** Which of the screens: signing in, or the room with the scans. */

import type { VNode } from "preact";

import { visitor } from "../state/session.ts";
import { Notices } from "./Notices.tsx";
import { Room } from "./Room.tsx";
import { SignIn } from "./SignIn.tsx";
import { Wordmark } from "./Wordmark.tsx";

export function App(): VNode {
  return (
    <>
      <Screen />
      <Notices />
    </>
  );
}

function Screen(): VNode {
  const who = visitor.value;
  switch (who.kind) {
    case "unknown":
      return <Waiting text="" />;
    case "unreachable":
      return <Waiting text="The server does not answer. Trying again…" />;
    case "nobody":
      return <SignIn notice={who.notice} />;
    case "user":
      return <Room me={who.me} />;
  }
}

function Waiting({ text }: { readonly text: string }): VNode {
  return (
    <main class="door">
      <Wordmark />
      <p role="status">{text}</p>
    </main>
  );
}
