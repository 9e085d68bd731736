import { chromium } from "playwright-core";

const FLAGS = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--no-first-run",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** The installed browser, and what gives it WebGPU on its software adapter. */
const OPTIONS = {
  executablePath: process.env.GOLDCREST_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless=new", "--no-sandbox", ...FLAGS],
  // What playwright passes of itself, and what takes WebGPU away.
  ignoreDefaultArgs: ["--disable-gpu", "--use-gl=swiftshader", "--disable-software-rasterizer"],
};

/** Chromium with WebGPU. */
export function launch() {
  return chromium.launch(OPTIONS);
}

/** The same with an unpacked extension, and a profile in a folder. */
export function launchWithExtension(extension, profile) {
  return chromium.launchPersistentContext(profile, {
    ...OPTIONS,
    args: [...OPTIONS.args, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
    ignoreDefaultArgs: [...OPTIONS.ignoreDefaultArgs, "--disable-extensions"],
  });
}

/**
 * A page in a profile of its own. `faults` collects what must not happen: errors of scripts, breaches of the policy, requests to other
 * hosts than the page's.
 */
export async function open(browser, url, { mock, init, ...context } = {}) {
  const profile = await browser.newContext({ viewport: { width: 1180, height: 820 }, ...context });
  if (mock) await profile.addInitScript((behaviour) => (window.mock = behaviour), mock);
  if (init) await profile.addInitScript(init);
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  profile.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "blob:" && origin !== new URL(url).origin) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, profile, faults };
}

/** Chooses SmolLM2 and waits until it answers. */
export async function start(page) {
  await page.getByRole("button", { name: /SmolLM2 135M/ }).click();
  await page.getByRole("button", { name: /start/i }).click();
  await page.getByRole("textbox", { name: "Your message" }).waitFor();
}

/** Asks, and waits for the end of the answer. */
export async function ask(page, text) {
  await page.getByRole("textbox", { name: "Your message" }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".answer").last().waitFor();
  await settled(page);
}

/** Waits until no answer is being written. */
export async function settled(page) {
  await page.getByRole("button", { name: "Send" }).waitFor();
  await page.waitForFunction(() => !document.querySelector('.answer[aria-busy="true"]'));
}
