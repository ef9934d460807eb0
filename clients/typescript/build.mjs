/**
 * Build of the package into dist/: ES modules, and CommonJS in dist/cjs.
 *
 * npm runs it before it packs, and when a project installs this folder by its path. In that case npm does not install
 * the compiler, so this program does.
 */

import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", import.meta.url));
const run = (program, ...args) => execFileSync(program, args, { cwd: folder, stdio: "inherit" });

if (!existsSync(compiler)) run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });
run(process.execPath, compiler, "-p", "tsconfig.build.json");
run(process.execPath, compiler, "-p", "tsconfig.cjs.json");
writeFileSync(new URL("dist/cjs/package.json", import.meta.url), '{ "type": "commonjs" }\n');
