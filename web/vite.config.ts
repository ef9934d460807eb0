/** Build of the web page: writes hashed files and compressed copies into the Python package. */

import { fileURLToPath } from "node:url";

import { compression } from "vite-plugin-compression2";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // A reverse proxy may serve the page below any path.
  base: "./",
  // `npm run dev` serves the page and forwards API requests to a running `scanrill serve`.
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
    // The content security policy of the page forbids inline assets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compression({ algorithms: ["gzip", "brotliCompress"], threshold: 1024 })],
});
