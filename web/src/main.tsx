/** Entry point: renders the page and starts authentication. */

import { render } from "preact";

import { initAuth } from "./state/auth.ts";
import { App } from "./views/App.tsx";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
void initAuth();
