/** The way in: by the link that the server printed, or by name and password. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";

import { errorMessage } from "../state/error-message.ts";
import { signIn, signInWithLink } from "../state/auth.ts";
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
      <p class="lead">Reads scans. The text appears while it is being read.</p>
      <p class="form-error" role="alert">
        <InlineCode text={errorText.value || notice} />
      </p>
      <form onSubmit={submit((form) => signIn(field(form, "username"), field(form, "password")))}>
        <label>
          Name
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
          Open the link that <code>scanrill serve</code> printed, or have <code>scanrill link</code> print another.
          From another machine, paste it here:
        </p>
        <form class="row" onSubmit={submit((form) => signInWithLink(field(form, "link")))}>
          <input name="link" aria-label="Sign-in link" placeholder="http://…/#code=…" autocomplete="off" required />
          <button type="submit" disabled={busy.value}>
            Open
          </button>
        </form>
      </details>
    </main>
  );
}
