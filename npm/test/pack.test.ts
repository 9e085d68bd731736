import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// What `npm publish` would send. The scripts are left out: they build the package anew, under the tests that use it.

const folder = fileURLToPath(new URL("..", import.meta.url));
const npm = (...args: string[]) => spawnSync("npm", [...args, "--dry-run", "--ignore-scripts"], { cwd: folder, encoding: "utf8", shell: process.platform === "win32" });

/** All that a user needs; the engine where it was built. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE-(APACHE|MIT))$/,
  /^dist\/([\w-]+\/)?[\w-]+\.(js|d\.ts)$/,
  /^dist\/wasm\/goldcrest_(wasm|relaxed|grammar)(\.js|_bg\.wasm)$/,
];
const NEEDED = ["package.json", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "dist/index.js", "dist/index.d.ts", "dist/core/worker.js"];
const ENGINE = ["wasm", "relaxed", "grammar"].flatMap((name) => [`dist/wasm/goldcrest_${name}.js`, `dist/wasm/goldcrest_${name}_bg.wasm`]);

test("the packed package holds what users need and nothing else", () => {
  const { stdout, stderr } = npm("pack", "--json");
  const packed = JSON.parse(stdout) as { files: { path: string }[] }[];
  const files = (packed[0]?.files ?? assert.fail(stderr)).map(({ path }) => path);
  assert.deepEqual(files.filter((path) => !ALLOWED.some((allowed) => allowed.test(path))), []);
  const needed = existsSync(`${folder}src/wasm/goldcrest_wasm_bg.wasm`) ? [...NEEDED, ...ENGINE] : NEEDED;
  assert.deepEqual(needed.filter((path) => !files.includes(path)), []);
});

test("publishing it gives no warning but that one has to log in", () => {
  const { stderr } = npm("publish");
  assert.match(stderr, /goldcrest@/);
  const warnings = stderr.split("\n").filter((line) => line.startsWith("npm warn publish"));
  assert.deepEqual(warnings.filter((line) => !line.includes("requires you to be logged in")), []);
});
