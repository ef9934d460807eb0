/** The web page's build: into the Python package, with hashed names and compressed siblings. */

import { fileURLToPath } from "node:url";

import { compression } from "vite-plugin-compression2";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // For `npm run dev`, which serves the page itself: the API is that of a running `scanrill serve`.
  server: {
    proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } },
  },
  resolve: {
    alias: { "scanrill-client": here("../clients/typescript/src/index.ts") },
  },
  build: {
    outDir: here("../backend_main/web"),
    emptyOutDir: true,
    target: "es2022",
    // Under the page's content security policy nothing may stand inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compression({ algorithms: ["gzip", "brotliCompress"], threshold: 1024 })],
});
