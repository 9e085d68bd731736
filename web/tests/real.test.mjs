import { strict as assert } from "node:assert";
import { test } from "node:test";
import { launch, open } from "../../tests/browser/chromium.js";
import { settled, start } from "./page.mjs";
import { serveReal } from "./real.mjs";

// The page with the real engine and SmolLM2. The stand-in's tests say that the page does right by the API; this one that the API is so.
const server = await serveReal();

test("SmolLM2 answers in the page, and does so offline", { skip: server === null && "see above" }, async () => {
  const browser = await launch();
  const { page, profile, faults } = await open(browser, server.url);
  page.setDefaultTimeout(180_000);
  try {
    // Greedy and short, so that the answers are known and SwiftShader has an end.
    await page.evaluate(() =>
      localStorage.setItem("goldcrest.settings", JSON.stringify({ temperature: 0, repetitionPenalty: 1, maxTokens: 16, contextLength: 512 })),
    );
    await page.reload();
    await start(page);
    await page.getByRole("textbox", { name: "Your message" }).fill("What is the capital of France?");
    await page.keyboard.press("Enter");
    await settled(page);
    assert.equal(await page.locator(".answer .prose").textContent(), "The capital of France is Paris.");
    assert.match(await page.locator(".stats").textContent(), /tok\/s.*first token .*tokens/);

    await page.getByRole("button", { name: "Token view" }).click();
    assert.ok((await page.locator(".token").count()) >= 4);
    await page.locator(".token").first().hover();
    assert.equal(await page.locator(".alternative").count(), 5);
    await page.getByRole("button", { name: "Token view" }).click();

    await page.getByRole("button", { name: "Raw prompt" }).click();
    assert.match(await page.locator("pre.raw").textContent(), /<\|im_start\|>user\nWhat is the capital of France\?<\|im_end\|>/);
    await page.keyboard.press("Escape");

    await page.evaluate(() => navigator.serviceWorker.ready);
    await profile.setOffline(true);
    await server.close();
    await page.reload();
    await page.getByText("on this device").waitFor();
    await start(page);
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByRole("textbox", { name: "Your message" }).fill("What is the capital of Italy?");
    await page.keyboard.press("Enter");
    await settled(page);
    // Wrong, and right: these are the tokens that the model gives natively too.
    assert.equal(await page.locator(".answer .prose").textContent(), "Il Coriobella, Italy.");
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    await server.close();
  }
});
