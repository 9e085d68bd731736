import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { headersOf, serve } from "../../tests/browser/server.js";
import { modelFile } from "../build/model-file.js";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = "tests/dist";

/**
 * Builds the page with the real package and serves it, with a hub of its own: every model that a hub address names is looked for by
 * its name in the folder `GOLDCREST_MODELS`. `null`, with a line that says why, where something is missing.
 */
export async function serveReal() {
  const models = process.env.GOLDCREST_MODELS;
  if (!models) return skip("SmolLM2 is not here; GOLDCREST_MODELS=FOLDER names where it is");
  if (!existsSync(join(WEB, "../npm/dist/wasm/goldcrest_wasm_bg.wasm"))) return skip("npm/dist holds no engine: `cargo xtask wasm`, then `npm run build` in npm/");
  execFileSync(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--outDir", FOLDER, "--emptyOutDir", "--logLevel", "warn"], {
    cwd: WEB,
    stdio: "inherit",
    env: { ...process.env, VITE_HUB_URL: "./hub" },
  });
  const built = join(WEB, FOLDER);
  return serve({ folders: { "/hub/": (path) => modelFile(models, path), "/": built }, headers: await headersOf(built) });
}

function skip(why) {
  console.log(`skip: ${why}`);
  return null;
}
