/** Sign-in form for username and password, or for a sign-in link. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";

import { signIn, signInWithLink } from "../state/auth.ts";
import { errorMessage } from "../state/error-message.ts";
import { InlineCode } from "./InlineCode.tsx";
import { Logo } from "./Logo.tsx";

export function SignIn({ notice }: { readonly notice: string }): VNode {
  const errorText = useSignal("");
  const busy = useSignal(false);

  const submit = (signInWith: (form: FormData) => Promise<void>) => async (event: SubmitEvent) => {
    event.preventDefault();
    busy.value = true;
    try {
      await signInWith(new FormData(event.currentTarget as HTMLFormElement));
    } catch (error) {
      errorText.value = errorMessage(error);
      busy.value = false;
    }
  };
  const field = (form: FormData, name: string) => String(form.get(name) ?? "");

  return (
    <main class="sign-in">
      <h1>
        <Logo />
      </h1>
      <p class="lead">Turn scans into text. The text appears line by line while the server reads.</p>
      <p class="form-error" role="alert">
        <InlineCode text={errorText.value || notice} />
      </p>
      <form onSubmit={submit((form) => signIn(field(form, "username"), field(form, "password")))}>
        <label>
          Username
          <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button type="submit" class="primary" disabled={busy.value}>
          Sign in
        </button>
      </form>
      <details>
        <summary>No password?</summary>
        <p>
          Open the sign-in link that <code>scanrill serve</code> printed, or run <code>scanrill link</code> to create a
          new one. You can also paste the link here:
        </p>
        <form class="row" onSubmit={submit((form) => signInWithLink(field(form, "link")))}>
          <input name="link" aria-label="Sign-in link" placeholder="http://…/#code=…" autocomplete="off" required />
          <button type="submit" disabled={busy.value}>
            Sign in with link
          </button>
        </form>
      </details>
    </main>
  );
}
