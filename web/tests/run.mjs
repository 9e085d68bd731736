// Builds the page with the stand-in engine and runs the browser tests. Arguments go to Node's test runner.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const node = (...args) => execFileSync(process.execPath, args, { stdio: "inherit" });

node("node_modules/typescript/bin/tsc", "--noEmit");
node("node_modules/vite/bin/vite.js", "build", "-c", "tests/vite.config.ts", "--logLevel", "warn");
const files = readdirSync("tests").filter((name) => name.endsWith(".test.mjs"));
// One after another: each file starts a browser, and two of them on two cores measure each other's patience.
node("--test", "--test-concurrency=1", ...process.argv.slice(2), ...files.map((name) => `tests/${name}`));
