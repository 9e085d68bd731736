// Builds the package if that has not been done, compares the API page, compiles the tests against its declarations, and runs them.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const run = (...args) => execFileSync(process.execPath, args, { stdio: "inherit" });
if (!existsSync("dist/index.js")) run("scripts/build.mjs");
run("scripts/api.mjs", "--check");
rmSync("dist-test", { recursive: true, force: true });
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json");

const tests = readdirSync("dist-test").filter((name) => name.endsWith(".test.js"));
const { status } = spawnSync(process.execPath, ["--test", ...tests.map((name) => `dist-test/${name}`)], { stdio: "inherit" });
process.exit(status ?? 1);
