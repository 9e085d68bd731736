// Compiles the package into dist/. With --release the engine's wasm must be there, since a package without it is none.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"], { stdio: "inherit" });

const wasm = ["goldcrest_wasm", "goldcrest_relaxed", "goldcrest_grammar"].flatMap((name) => [`${name}.js`, `${name}_bg.wasm`]);
if (wasm.every((name) => existsSync(`src/wasm/${name}`))) {
  for (const name of wasm) cpSync(`src/wasm/${name}`, `dist/wasm/${name}`);
} else if (process.argv.includes("--release")) {
  console.error("src/wasm/ is empty: run `cargo xtask wasm` first");
  process.exit(1);
} else {
  console.log("built without the engine (src/wasm/ is empty; `cargo xtask wasm` makes it)");
}
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(`../${name}`, name);
