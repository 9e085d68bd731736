import { strict as assert } from "node:assert";
import { ask, settled, start } from "./page.mjs";
import { suite } from "./suite.mjs";

const page = suite();
const answer = (at) => at.locator(".answer .prose").last();

page("an answer streams as markdown, with its speed", {}, async (at) => {
  await start(at);
  await at.getByRole("textbox", { name: "Your message" }).fill("Plan a weekend");
  await at.keyboard.press("Enter");
  // Some of it is there before all of it is.
  await at.locator(".answer[aria-busy=true] .prose strong").waitFor();
  await settled(at);
  assert.equal(await answer(at).locator("ol > li").count(), 3);
  assert.equal(await answer(at).locator("blockquote").count(), 1);
  assert.match(await at.locator(".stats").textContent(), /tok\/s.*first token 84 ms.*tokens/);
});

page("code and tables are shown as such", {}, async (at) => {
  await start(at);
  await ask(at, "Write a function");
  assert.equal(await answer(at).locator("pre code").textContent(), "const reversed = (list) => list.map((_, at) => list.at(-1 - at));");
  assert.equal(await answer(at).locator("td code").first().textContent(), "[1, 2]");
});

page("what a model writes is never HTML, loads nothing and runs nothing", {}, async (at) => {
  await start(at);
  await ask(at, "Be evil");
  assert.equal(await at.evaluate(() => "harmed" in window), false);
  assert.equal(await answer(at).locator("img, script").count(), 0);
  assert.match(await answer(at).textContent(), /<script>window.harmed = true<\/script>/);
  assert.deepEqual(
    await answer(at).locator("a").evaluateAll((links) => links.map((link) => [link.protocol, link.rel])),
    [["https:", "noopener noreferrer"]],
  );
});

page("an answer stops on Escape, and goes on where it was", { mock: { tokenMs: 5 } }, async (at) => {
  await start(at);
  await at.getByRole("textbox", { name: "Your message" }).fill("A long one");
  await at.keyboard.press("Enter");
  await answer(at).getByText(/Sentence 2 of/).waitFor();
  await at.keyboard.press("Escape");
  await settled(at);
  const half = await answer(at).textContent();
  assert.match(half, /^Sentence 1 /);
  assert.doesNotMatch(half, /Sentence 30/);
  await at.getByText("Stopped", { exact: true }).waitFor();
  await at.evaluate(() => (window.mock = { tokenMs: 0 }));
  await at.getByRole("button", { name: "Continue" }).click();
  await settled(at);
  const whole = await answer(at).textContent();
  assert.ok(whole.startsWith(half));
  assert.equal(whole, Array.from({ length: 30 }, (_, n) => `Sentence ${n + 1} of a long answer goes on and on.`).join(" "));
});

page("the longest answer is kept to, and said", { mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await at.getByRole("button", { name: "Settings" }).click();
  await at.getByLabel("Longest answer").fill("16");
  await at.keyboard.press("Escape");
  await ask(at, "A long one");
  await at.getByText("Reached the longest answer").waitFor();
  assert.match(await at.locator(".stats").textContent(), /16 tokens/);
});

page("regenerate, edit and clear", { mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await ask(at, "Why is the sky blue?");
  await ask(at, "Plan a weekend");
  await at.getByRole("button", { name: "Regenerate" }).first().click();
  await settled(at);
  assert.equal(await at.locator(".question").count(), 1);
  assert.equal(await at.locator(".answer").count(), 1);
  await at.locator(".question").hover();
  await at.getByRole("button", { name: "Edit" }).click();
  await at.getByLabel("Edit your message").fill("Write a function");
  await at.getByRole("button", { name: "Ask again" }).click();
  await at.locator(".answer pre").waitFor();
  await settled(at);
  assert.equal(await at.locator(".question").textContent(), "Write a functionCopy");
  await at.getByRole("button", { name: "New conversation" }).click();
  await at.getByText("Ask me something small.").waitFor();
});

page("copy puts the answer's own text on the clipboard", { permissions: ["clipboard-read", "clipboard-write"], mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await ask(at, "Plan a weekend");
  await at.locator(".answer-foot").getByRole("button", { name: "Copy" }).click();
  await at.locator(".answer-foot").getByRole("button", { name: "Copied" }).waitFor();
  assert.match(await at.evaluate(() => navigator.clipboard.readText()), /needs \*\*less\*\* than/);
});

page("a conversation and the settings survive a reload", { mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await ask(at, "Plan a weekend");
  await at.getByRole("button", { name: "Settings" }).click();
  await at.getByLabel("Temperature").fill("1.2");
  await at.getByLabel("Seed").fill("7");
  await at.reload();
  await start(at);
  assert.equal(await at.locator(".answer ol > li").count(), 3);
  await at.getByRole("button", { name: "Settings" }).click();
  assert.equal(await at.getByLabel("Temperature").inputValue(), "1.2");
  assert.equal(await at.getByLabel("Seed").inputValue(), "7");
});

page("tokens are coloured and show their alternatives; another one leads elsewhere", { mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await ask(at, "Why is the sky blue?");
  await at.getByRole("button", { name: "Token view" }).click();
  const tokens = at.locator(".token");
  assert.ok((await tokens.count()) > 50);
  assert.ok((await at.locator(".token.sure-4").count()) > 0 && (await at.locator(".token.sure-1").count()) > 0);
  await tokens.nth(3).hover();
  assert.equal(await at.locator(".alternative").count(), 5);
  assert.match(await at.locator(".inspector").textContent(), /Token 4 of/);
  await tokens.nth(3).focus();
  await at.keyboard.press("ArrowRight");
  assert.match(await at.locator(".inspector").textContent(), /Token 5 of/);
  const other = at.locator("button.alternative").first();
  const text = (await other.locator("code").textContent()).replace("␣", " ");
  await other.click();
  await settled(at);
  assert.equal(await tokens.nth(4).textContent(), text);
  assert.ok((await tokens.count()) > 5);
});

page("the raw prompt is the rendered template", { mock: { tokenMs: 0 } }, async (at) => {
  await start(at);
  await ask(at, "Plan a weekend");
  await at.getByRole("button", { name: "Raw prompt" }).click();
  const raw = at.locator("pre.raw");
  assert.equal(await raw.textContent(), "<|im_start|>user\nPlan a weekend<|im_end|>\n<|im_start|>assistant\n");
  assert.equal(await raw.locator("mark").count(), 3);
});

page("a lost device is told, and the answer goes on", { mock: { tokenMs: 0, failAnswer: { code: "E_DEVICE_LOST", after: 9 } } }, async (at) => {
  await start(at);
  await at.getByRole("textbox", { name: "Your message" }).fill("A long one");
  await at.keyboard.press("Enter");
  await at.getByRole("heading", { name: "The graphics card was reset" }).waitFor();
  await at.locator(".problem").getByRole("button", { name: "Continue" }).click();
  await settled(at);
  assert.equal(await at.locator(".problem").count(), 0);
  assert.match(await answer(at).textContent(), /^Sentence 1 .*Sentence 30 of a long answer goes on and on\.$/);
});

page("a base model goes on with a text", { mock: { tokenMs: 0 } }, async (at) => {
  await at.getByRole("button", { name: /Gemma 3 270M/ }).click();
  await at.getByText("This is a base model").waitFor();
  await at.getByRole("button", { name: /start/i }).click();
  await at.getByRole("textbox", { name: "Your text" }).fill("The sky is blue because");
  await at.keyboard.press("Enter");
  await settled(at);
  assert.ok((await answer(at).textContent()).length > 20);
});

page("the self-test's result and the device are copied for an issue", { permissions: ["clipboard-read", "clipboard-write"] }, async (at) => {
  await start(at);
  await at.getByRole("button", { name: "This device" }).click();
  await at.getByRole("button", { name: "Run the self-test" }).click();
  await at.getByText("All 5 are right.").waitFor();
  await at.getByRole("button", { name: "Copy for an issue" }).click();
  await at.getByText("Copied").waitFor();
  const text = await at.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /- WebGPU adapter: .*swiftshader/i);
  assert.match(text, /"format": "Q4_K"/);
});
