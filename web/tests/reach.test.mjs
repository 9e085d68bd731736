import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { ask, settled, start } from "./page.mjs";
import { suite } from "./suite.mjs";

const page = suite();
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Every complaint of axe about what is shown now. */
async function complaints(at) {
  await at.waitForTimeout(250);
  const { violations } = await at.evaluate(async (source) => {
    // Run as a script of the test's, not of the page's: the policy forbids the latter.
    if (!window.axe) (0, new Function(source))();
    return window.axe.run(document, { resultTypes: ["violations"] });
  }, axe);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Whether something is wider than the window. */
async function overflows(at) {
  return at.evaluate(() => {
    const wide = [...document.querySelectorAll("body *")].filter((element) => {
      const { right, width } = element.getBoundingClientRect();
      const scrolls = element.closest("pre, .table, .hidden, .skip");
      return width > 0 && right > innerWidth + 0.5 && !scrolls;
    });
    return document.documentElement.scrollWidth > innerWidth ? ["document", ...wide.map((e) => e.outerHTML.slice(0, 120))] : wide.map((e) => e.outerHTML.slice(0, 120));
  });
}

/** Goes through every view of the page, and checks each. */
async function tour(at, check) {
  const seen = async (name) => assert.deepEqual(await check(at), [], name);
  await at.getByRole("button", { name: /SmolLM2 135M/ }).waitFor();
  await seen("welcome");
  await at.getByRole("button", { name: /SmolLM2 135M/ }).click();
  await at.locator(".plan").waitFor();
  await seen("plan");
  await at.evaluate(() => (window.mock = { downloadMs: 3000, tokenMs: 0, backend: "cpu" }));
  await at.getByRole("button", { name: /start/i }).click();
  await at.locator(".loading").waitFor();
  await seen("loading");
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
  await seen("suggestions");
  await ask(at, "Write a function");
  await ask(at, "Plan a weekend");
  await seen("chat");
  await at.getByRole("button", { name: "Token view" }).click();
  await seen("tokens");
  await at.locator(".token").nth(3).click();
  await seen("a token");
  for (const name of ["Raw prompt", "Methods", "Settings", "This device"]) {
    await at.getByRole("button", { name, exact: true }).click();
    await at.locator("dialog[open]").waitFor();
    if (name === "Methods") {
      await at.locator("#gallery option[value=top_k]").waitFor({ state: "attached" });
      await at.locator("#gallery").selectOption("top_k");
      await at.getByText("From the command line").click();
      await seen("a method's page");
      await at.getByRole("button", { name: "Run", exact: true }).click();
      await at.locator(".method-answer .facts").waitFor();
      await at.getByRole("button", { name: "Labels", exact: true }).click();
      await at.locator(".method-answer .bars li").nth(1).waitFor();
      await at.getByRole("button", { name: "A record", exact: true }).click();
      await at.getByRole("link", { name: "Save the record" }).waitFor();
      await at.getByRole("button", { name: "Load it beside" }).click();
      await at.getByText(/ is there, /).waitFor();
      await at.getByRole("textbox", { name: "JSON schema" }).fill("{");
      await at.getByRole("button", { name: "Run", exact: true }).click();
      await at.getByText(/the schema is no JSON/i).waitFor();
      await at.getByRole("textbox", { name: "JSON schema" }).fill('{ "type": "object" }');
      await at.getByRole("button", { name: "Run", exact: true }).click();
      await at.locator(".method-answer .raw").waitFor();
      await at.getByRole("button", { name: "Draw the distributions" }).click();
      await at.locator(".bars").first().waitFor();
    }
    if (name === "This device") {
      await at.getByRole("button", { name: "Run the self-test" }).click();
      await at.getByText("All 5 are right.").waitFor();
    }
    await seen(name);
    await at.keyboard.press("Escape");
  }
  await at.locator(".chip").click();
  await at.locator(".cached").waitFor();
  await seen("models");
  await at.keyboard.press("Escape");
  await at.evaluate(() => (window.mock = { failAnswer: { code: "E_DEVICE_LOST", after: 3 } }));
  await at.getByRole("textbox", { name: "Your message" }).fill("Again");
  await at.keyboard.press("Enter");
  await at.locator(".problem").waitFor();
  await seen("problem");
}

// Without motion, sheets are where they belong as soon as they are open.
const phone = { reducedMotion: "reduce", viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

page("axe finds nothing in the light", { bypassCSP: true }, (at) => tour(at, complaints));
page("axe finds nothing in the dark", { bypassCSP: true, colorScheme: "dark" }, (at) => tour(at, complaints));
page("axe finds nothing on a phone", { bypassCSP: true, ...phone }, (at) => tour(at, complaints));
page("nothing is wider than a phone", phone, (at) => tour(at, overflows));
page("nothing is wider than a small window", { reducedMotion: "reduce", viewport: { width: 640, height: 480 } }, (at) => tour(at, overflows));

page("all of it works from the keyboard", { mock: { tokenMs: 0 } }, async (at) => {
  /** Tabs until the focus is on what the name says. */
  const reach = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      await at.keyboard.press("Tab");
      const focused = await at.evaluate(() => {
        const { activeElement: e } = document;
        return e?.getAttribute("aria-label") ?? e?.textContent?.trim() ?? "";
      });
      if (name.test(focused)) return;
    }
    assert.fail(`${name} cannot be reached`);
  };
  await at.getByRole("button", { name: /SmolLM2 135M/ }).waitFor();
  await reach(/^Skip to content/);
  await reach(/SmolLM2 135M/);
  await at.keyboard.press("Enter");
  await at.locator(".plan").waitFor();
  await reach(/^Download .* start/);
  await at.keyboard.press("Enter");
  // The place to write has the focus as soon as the model is there.
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
  await at.keyboard.type("Why is the sky blue?");
  await at.keyboard.press("Shift+Enter");
  await at.keyboard.type("Be short.");
  await at.keyboard.press("Enter");
  await settled(at);
  assert.match(await at.locator(".question p").innerText(), /blue\?\nBe short/);
  await reach(/^Token view/);
  await at.keyboard.press("Space");
  await reach(/^The, /);
  await at.keyboard.press("ArrowRight");
  await at.keyboard.press("ArrowRight");
  assert.match(await at.locator(".inspector").textContent(), /Token 3 of/);
  await reach(/^Go on with/);
  await at.keyboard.press("Enter");
  await settled(at);
  await reach(/^Settings$/);
  await at.keyboard.press("Enter");
  await at.locator("dialog[open]").waitFor();
  await reach(/^Close$/);
  await at.keyboard.press("Enter");
  // The focus comes back to where it was.
  assert.equal(await at.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Settings");
});

page("answers are announced sentence by sentence", { mock: { tokenMs: 8 } }, async (at) => {
  await start(at);
  await at.evaluate(() => {
    window.said = [];
    const region = document.querySelector('[data-testid="announcer"]');
    new MutationObserver(() => region.textContent && window.said.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
  });
  await ask(at, "Why is the sky blue?");
  const said = await at.evaluate(() => window.said);
  assert.equal(said[0], "Answering");
  assert.ok(said.length >= 4 && said.length < 20, `${said.length} announcements`);
  assert.match(said.at(-1), /sunset red\.$/);
});

page("the theme is the system's until one is chosen", { colorScheme: "dark" }, async (at) => {
  const shown = () => at.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await shown(), "dark");
  await at.getByRole("button", { name: "Colours: system" }).click();
  assert.equal(await shown(), "light");
  await at.reload();
  assert.equal(await shown(), "light");
});
