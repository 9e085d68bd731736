// Headless Chromium with WebGPU on its own software adapter.

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

/** SwiftShader gives every machine the same adapter; the rest keeps the browser from calling home. */
const ARGS = [
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
];
/** What playwright passes by default and what takes WebGPU away. */
const UNWANTED = ["--disable-gpu", "--use-gl=swiftshader", "--disable-software-rasterizer"];

/** Starts the browser. */
export const launch = () => chromium.launch({ executablePath, args: ARGS, ignoreDefaultArgs: UNWANTED });

/** A page of `origin` in a fresh profile; what goes wrong in it unheard is gathered in `page.complaints`. */
export async function open(browser, origin, path = "/page/empty.html") {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  await page.goto(origin + path);
  return page;
}
