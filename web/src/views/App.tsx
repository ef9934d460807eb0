/** Root component: shows the sign-in form or the uploads, depending on the authentication state. */

import type { VNode } from "preact";

import { authState } from "../state/auth.ts";
import { Notices } from "./Notices.tsx";
import { AppLayout } from "./AppLayout.tsx";
import { SignIn } from "./SignIn.tsx";
import { Logo } from "./Logo.tsx";

export function App(): VNode {
  return (
    <>
      <Screen />
      <Notices />
    </>
  );
}

function Screen(): VNode {
  const state = authState.value;
  switch (state.kind) {
    case "unknown":
      return <LoadingScreen text="" />;
    case "unreachable":
      return <LoadingScreen text="The server is not responding. Retrying…" />;
    case "signedOut":
      return <SignIn notice={state.notice} />;
    case "user":
      return <AppLayout me={state.me} />;
  }
}

function LoadingScreen({ text }: { readonly text: string }): VNode {
  return (
    <main class="sign-in">
      <Logo />
      <p role="status">{text}</p>
    </main>
  );
}
