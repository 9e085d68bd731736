// The gallery of methods: the documentation's own pages, with their examples.
import { strict as assert } from "node:assert";
import { readdir, readFile } from "node:fs/promises";
import { start } from "./page.mjs";
import { suite } from "./suite.mjs";

const page = suite();
const DOCS = new URL("../../docs/methods/", import.meta.url);

/** Waits until a field has this value. */
async function has(at, field, value) {
  await at.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.value === wanted, [field, value]);
}

/** Every page of a method: its name in links, and its text. */
async function documented() {
  const folders = (await readdir(DOCS, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const pages = await Promise.all(
    folders.map(async ({ name: folder }) => {
      const files = (await readdir(new URL(`${folder}/`, DOCS))).filter((file) => file.endsWith(".md"));
      return Promise.all(
        files.map(async (file) => {
          const text = await readFile(new URL(`${folder}/${file}`, DOCS), "utf8");
          return { folder, name: file.slice(0, -3).replaceAll("-", "_"), title: /^# (.*)$/m.exec(text)[1], text };
        }),
      );
    }),
  );
  return pages.flat();
}

page("a link to a method opens its page, before there is a model", { mock: {} }, async (at, { url }) => {
  await at.goto(`${url}?method=contrastive-search`);
  const article = at.getByRole("article", { name: "Contrastive search" });
  await article.waitFor();
  assert.deepEqual(await article.getByRole("heading", { level: 3 }).allTextContents(), ["Picture", "When", "Cost", "Parameters", "Identity", "Paper"]);
  assert.match(await article.textContent(), /hidden rows so far.*Su and Collier/s);
  assert.equal(await at.getByRole("button", { name: "Run", exact: true }).isDisabled(), true);
  await at.goto(`${url}?method=nothing-known`);
  await at.locator("#gallery").waitFor();
  assert.equal(await at.locator(".method-page").count(), 0);
});

page("a method's page brings its example, which runs", { mock: { tokenMs: 0 } }, async (at) => {
  const fetched = [];
  at.on("request", (request) => fetched.push(request.url()));
  await start(at);
  assert.deepEqual(fetched.filter((url) => /pages-[^/]*\.js$/.test(url)), [], "the pages are not part of a first visit");
  await at.getByRole("button", { name: "Methods", exact: true }).click();
  await at.locator("#gallery option[value=beam]").waitFor({ state: "attached" });
  await at.locator("#gallery").selectOption("context_aware");
  await at.getByRole("article", { name: "Context-aware decoding" }).waitFor();
  await has(at, "#method", "context_aware");
  await has(at, "#method-parameters", "alpha=0.5");
  await has(at, "#method-settings", "temperature=0");
  assert.match(await at.locator("#method-prompt").inputValue(), /now Kazan\..*Answer: The capital of Russia is$/);
  assert.match(await at.locator("#method-reference").inputValue(), /^Question: .* is$/);
  await at.getByRole("button", { name: "Run the example" }).click();
  await at.locator(".method-answer .facts").waitFor();
  assert.match(await at.locator(".method-answer .facts").textContent(), /namecontext_aware/);
  await at.locator("#gallery").selectOption("top_h");
  await has(at, "#chain", "top_h(0.6)");
  await has(at, "#method-settings", "top_h=0.4, order=hf, temperature=2, seed=1");
  await at.locator("#gallery").selectOption("json_schema");
  await at.waitForFunction(() => document.querySelector("#method-schema").value.startsWith('{"type":"object"'));
  await at.locator("#gallery").selectOption("score");
  await has(at, "#method-labels", "Paris, Rome, Berlin");
});

page("every page of the documentation is in the gallery, and calls its method", { mock: {} }, async (at) => {
  const pages = await documented();
  await start(at);
  await at.getByRole("button", { name: "Methods", exact: true }).click();
  await at.locator("#gallery option[value=beam]").waitFor({ state: "attached" });
  const options = at.locator("#gallery option:not([value=''])");
  assert.deepEqual(new Set(await options.evaluateAll((all) => all.map((one) => one.value))), new Set(pages.map(({ name }) => name)));
  for (const { folder, name, title, text } of pages) {
    await at.locator("#gallery").selectOption(name);
    await at.getByRole("article", { name: title, exact: true }).waitFor();
    const run = /--strategy (\w+)/.exec(text)?.[1];
    const calls = { samplers: ["#chain", name], speculation: ["#method-parameters", name === "speculate" ? "drafter=auto" : `drafter=${name}`] }[folder];
    if (calls) await at.waitForFunction(([selector, part]) => document.querySelector(selector).value.includes(part), calls);
    else if (run) assert.equal(run, name);
  }
});
