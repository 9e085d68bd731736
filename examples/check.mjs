// Runs every example on a tiny model: `node examples/check.mjs`, with npm/dist built and `npm ci` done in tests/browser.
import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, launchWithExtension } from "../tests/browser/chromium.js";
import { serve } from "../tests/browser/server.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const GOLDEN = join(HERE, "../tests/golden/tiny");
const MODEL = join(GOLDEN, "llama.gguf");

const run = (name, command, ...args) => execFileSync(command, args, { cwd: join(HERE, name), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const install = (name) => run(name, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error");

const checks = {
  async node() {
    const { status, stderr } = spawnSync(process.execPath, ["answer.js", MODEL, "Hello"], { cwd: join(HERE, "node"), encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /tiny random llama on CPU/);
    const completed = spawnSync(process.execPath, ["identifiers.js", MODEL], { cwd: join(HERE, "node"), encoding: "utf8" });
    assert.equal(completed.status, 0, completed.stderr);
    assert.match(completed.stdout, /^def greet/);
  },
  async "browser-chat"() {
    run("browser-chat", "npm", "run", "build", "--silent");
    const server = await serve({ folders: { "/models/": GOLDEN, "/": join(HERE, "browser-chat/dist") }, headers: {} });
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}?model=/models/llama.gguf`);
      await page.getByRole("button", { name: "Fetch" }).click();
      await page.getByLabel("Your message").fill("Hello");
      await page.keyboard.press("Enter");
      await page.locator(".assistant:not(:empty)").waitFor();
      await page.getByText(/tokens a second$/).waitFor();
    } finally {
      await browser.close();
      await server.close();
    }
  },
  async extension() {
    run("extension", "npm", "run", "build", "--silent");
    const folder = join(HERE, "extension");
    const profile = mkdtempSync(join(tmpdir(), "goldcrest-extension-"));
    const context = await launchWithExtension(folder, profile);
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker", { timeout: 15_000 }));
      const page = await context.newPage();
      await page.goto(`chrome-extension://${new URL(worker.url()).host}/page.html`);
      await page.locator("#file").setInputFiles(MODEL);
      await page.getByRole("button", { name: "Go on" }).click();
      await page.locator("#out[data-done]").waitFor();
      assert.ok((await page.locator("#out").textContent()).length > 20);
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  },
};

for (const [name, check] of Object.entries(checks)) {
  install(name);
  try {
    await check();
    console.log(`ok     ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
}
