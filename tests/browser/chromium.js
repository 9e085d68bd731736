// Headless Chromium with WebGPU on its own software adapter: the one way in which every test of this repository starts a browser.

import { accessSync } from "node:fs";

import { chromium } from "playwright-core";

/** The installed browser; `undefined` where there is none. GOLDCREST_CHROMIUM names another one. */
export const executablePath = [process.env.GOLDCREST_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => {
    try {
      accessSync(path);
      return true;
    } catch {
      return false;
    }
  },
);

const OPTIONS = {
  executablePath,
  // SwiftShader gives every machine the same adapter; the rest keeps the browser from calling home.
  args: [
    "--headless=new",
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-precise-memory-info",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
  ],
  // What playwright passes by default and what takes WebGPU away.
  ignoreDefaultArgs: ["--disable-gpu", "--use-gl=swiftshader", "--disable-software-rasterizer"],
};

/** Starts the browser. */
export const launch = () => chromium.launch(OPTIONS);

/** Starts it with an unpacked extension, and a profile in a folder. */
export const launchWithExtension = (extension, profile) =>
  chromium.launchPersistentContext(profile, {
    ...OPTIONS,
    args: [...OPTIONS.args, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
    ignoreDefaultArgs: [...OPTIONS.ignoreDefaultArgs, "--disable-extensions"],
  });

/**
 * A page in a profile of its own. `faults` gathers what must not happen in it: errors of scripts, errors and warnings on the console,
 * requests to other hosts than the page's. `init` is a function and its argument, run before any script of a page.
 */
export async function open(browser, url, { init, ...context } = {}) {
  const profile = await browser.newContext({ viewport: { width: 1180, height: 820 }, ...context });
  if (init) await profile.addInitScript(...init);
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  profile.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    const inside = ["blob:", "data:"].includes(protocol) || origin === new URL(url).origin;
    if (!inside) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, profile, faults };
}
