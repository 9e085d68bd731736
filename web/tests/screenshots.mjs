// Pictures for the README, of the page with the real engine: `GOLDCREST_MODELS=folder node tests/screenshots.mjs [FOLDER]`, written to
// docs/images/ or the folder named. Every test run makes them, so that they cannot show what the page no longer is.
import { mkdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, open } from "../../tests/browser/chromium.js";
import { settled } from "./page.mjs";
import { serveReal } from "./real.mjs";

const OUT = process.argv[2] ? `${resolve(process.argv[2])}/` : fileURLToPath(new URL("../../docs/images/", import.meta.url));
/** Larger ones would weigh on every clone. */
const MOST = 150_000;

const server = await serveReal();
if (!server) process.exit(1);
await mkdir(OUT, { recursive: true });
const browser = await launch();
const { page } = await open(browser, server.url, { reducedMotion: "reduce", deviceScaleFactor: 2, viewport: { width: 1120, height: 760 } });
page.setDefaultTimeout(400_000);

await page.evaluate(() => localStorage.setItem("goldcrest.settings", JSON.stringify({ temperature: 0, maxTokens: 160, contextLength: 2048 })));
await page.reload();
await page.getByRole("button", { name: /SmolLM2/ }).waitFor();
// The hub of this run is the loopback; readers shall see where the model really comes from.
await page.evaluate(() => {
  for (const line of document.querySelectorAll(".card small")) line.textContent = line.textContent.replace(location.host, "huggingface.co");
});
await shoot("welcome-light");
await page.emulateMedia({ colorScheme: "dark" });
await shoot("welcome-dark");
await page.emulateMedia({ colorScheme: "light" });

await page.getByRole("button", { name: /SmolLM2/ }).click();
await page.getByRole("button", { name: /start/i }).click();
await page.getByRole("textbox", { name: "Your message" }).waitFor();
await ask("What is the capital of France?");
await ask("Why is the sky blue?");
await page.locator("main").evaluate((main) => (main.scrollTop = 0));
await page.mouse.move(5, 5);
await shoot("chat-light");
await page.emulateMedia({ colorScheme: "dark" });
await shoot("chat-dark");
await page.getByRole("button", { name: "Token view" }).click();
await doubtful();
await shoot("tokens-dark");
await page.emulateMedia({ colorScheme: "light" });
await shoot("tokens-light");
await page.getByRole("button", { name: "Token view" }).click();
await page.getByRole("button", { name: "Methods", exact: true }).click();
await page.getByRole("button", { name: "Draw the distributions" }).click();
await page.locator(".bars").first().waitFor();
await page.locator(".stages").evaluate((stages) => stages.scrollIntoView());
await shoot("methods-light");
await page.getByRole("button", { name: "Close" }).click();
await page.setViewportSize({ width: 360, height: 680 });
await page.locator("main").evaluate((main) => (main.scrollTop = 0));
await shoot("chat-phone", "device");
await browser.close();
await server.close();

async function ask(text) {
  await page.getByRole("textbox", { name: "Your message" }).fill(text);
  await page.keyboard.press("Enter");
  await settled(page);
}

/** Points at the first token of the last answer that was a guess. */
async function doubtful() {
  const tokens = page.locator(".answer").last().locator(".token");
  const guess = tokens.and(page.locator(".sure-1, .sure-2")).first();
  await guess.hover();
}

/** Wide windows are drawn with one pixel per unit, to be small; the phone with two, as phones are. */
async function shoot(name, scale = "css") {
  const path = `${OUT}${name}.png`;
  await page.waitForTimeout(200);
  await page.screenshot({ path, scale });
  const { size } = await stat(path);
  console.log(`${name} ${(size / 1000).toFixed(0)} kB`);
  if (size > MOST) throw new Error(`${name} has ${size} bytes; at most ${MOST} are allowed`);
}
