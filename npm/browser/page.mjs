// A page that has the built package as `window.goldcrest`, under the strictest policy.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { executablePath, open } from "../../tests/browser/chromium.js";
import { serve } from "../../tests/browser/server.js";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const text = (text) => new TextEncoder().encode(text);
const PAGE = {
  "index.html": text('<!doctype html><title>goldcrest</title><script type="module" src="/page.js"></script>'),
  "page.js": text('import * as goldcrest from "/dist/index.js"; window.goldcrest = goldcrest;'),
};

/** What hinders these tests here; `undefined` where nothing does. */
export const hindrance = !existsSync(`${DIST}/wasm/goldcrest_wasm_bg.wasm`)
  ? "run `cargo xtask wasm` and `npm run build`"
  : executablePath === undefined
    ? "install Chromium"
    : undefined;

/** Serves the page, and `models`: the names of files beside it, to bytes or to files elsewhere. */
export const servePage = (models, held) =>
  serve({ folders: { "/dist/": DIST, "/": (name) => PAGE[name] ?? models[name] }, held });

/** A page in a profile of its own, with the package loaded. */
export async function visit(browser, server) {
  const opened = await open(browser, server.url);
  await opened.page.waitForFunction(() => window.goldcrest);
  return opened;
}
