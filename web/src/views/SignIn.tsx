/** The way in: by the link that the server printed, or by name and password. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";

import { sentence } from "../state/sentence.ts";
import { signIn, signInWithLink } from "../state/session.ts";
import { Sentence } from "./Sentence.tsx";
import { Wordmark } from "./Wordmark.tsx";

export function SignIn({ notice }: { readonly notice: string }): VNode {
  const problem = useSignal("");
  const busy = useSignal(false);

  const enter = (way: (form: FormData) => Promise<void>) => async (event: SubmitEvent) => {
    event.preventDefault();
    busy.value = true;
    try {
      await way(new FormData(event.currentTarget as HTMLFormElement));
    } catch (error) {
      problem.value = sentence(error);
      busy.value = false;
    }
  };
  const field = (form: FormData, name: string) => String(form.get(name) ?? "");

  return (
    <main class="door">
      <h1>
        <Wordmark />
      </h1>
      <p class="lead">Reads scans. The text appears while it is being read.</p>
      <p class="problem" role="alert">
        <Sentence text={problem.value || notice} />
      </p>
      <form onSubmit={enter((form) => signIn(field(form, "username"), field(form, "password")))}>
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
        <form class="row" onSubmit={enter((form) => signInWithLink(field(form, "link")))}>
          <input name="link" aria-label="Sign-in link" placeholder="http://…/#code=…" autocomplete="off" required />
          <button type="submit" disabled={busy.value}>
            Open
          </button>
        </form>
      </details>
    </main>
  );
}
