import { strict as assert } from "node:assert";
import { start } from "./page.mjs";
import { suite } from "./suite.mjs";

const page = suite();
const card = (at) => at.getByRole("button", { name: /SmolLM2 135M/ });
const problem = (at) => at.locator(".problem");

page("nothing is fetched and nothing is planned before a model is chosen", {}, async (at) => {
  await card(at).waitFor();
  assert.equal(await at.locator(".plan").count(), 0);
});

page("a plan shows the parts of the memory, and follows the context length", {}, async (at) => {
  await card(at).click();
  const total = at.locator(".memory .sum dd");
  assert.equal(await total.textContent(), "154 MB");
  await at.getByLabel("Context length").selectOption("512");
  await at.waitForFunction(() => document.querySelector(".memory .sum dd")?.textContent === "118 MB");
  assert.match(await at.locator(".verdict").textContent(), /^Fits\./);
});

page("a plan says when there is no room", { mock: { noRoom: true } }, async (at) => {
  await card(at).click();
  assert.match(await at.locator(".verdict.bad").textContent(), /Does not fit into storage.*98.4 MB.*20.0 MB/);
});

page("a plan says when the processor will compute", { mock: { noAdapter: true } }, async (at) => {
  await card(at).click();
  assert.match(await at.locator(".verdict.care").textContent(), /processor/);
});

page("a download shows bytes, speed and time, and pauses and resumes where it was", { mock: { downloadMs: 4000 } }, async (at) => {
  await card(at).click();
  await at.getByRole("button", { name: "Download 98.4 MB and start" }).click();
  const status = at.getByRole("status");
  await at.waitForFunction(() => /MB of 98.4 MB · .*MB\/s · .*left/.test(document.querySelector(".loading .quiet")?.textContent ?? ""));
  await at.getByRole("button", { name: "Pause" }).click();
  assert.match(await status.textContent(), /kept/);
  const kept = await at.locator(".phases progress").first().getAttribute("value");
  assert.ok(Number(kept) > 10e6);
  await at.getByRole("button", { name: "Resume" }).click();
  await at.waitForFunction((from) => (document.querySelector(".phases progress")?.value ?? 0) >= from, Number(kept));
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
});

page("a cancelled download goes back to the choice", { mock: { downloadMs: 4000 } }, async (at) => {
  await card(at).click();
  await at.getByRole("button", { name: /start/i }).click();
  await at.waitForFunction(() => (document.querySelector(".phases progress")?.value ?? 0) > 1e6);
  await at.getByRole("button", { name: "Cancel" }).click();
  await card(at).waitFor();
  await at.getByRole("button", { name: "Models" }).click();
  assert.match(await at.locator(".cached").textContent(), /unfinished/);
});

page("a file of the user's is planned and runs without a download", {}, async (at) => {
  await at.locator('input[type="file"]').setInputFiles({ name: "mine.gguf", mimeType: "application/octet-stream", buffer: Buffer.from("GGUF") });
  await at.getByRole("heading", { name: "mine.gguf" }).waitFor();
  await at.getByRole("button", { name: "Start", exact: true }).click();
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
});

page("a file may be dropped anywhere", {}, async (at) => {
  const data = await at.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["GGUF"], "dropped.gguf"));
    return transfer;
  });
  await at.dispatchEvent("main", "drop", { dataTransfer: data });
  await at.getByRole("heading", { name: "dropped.gguf" }).waitFor();
});

page("an address that is none is refused with a reason", {}, async (at) => {
  await at.getByLabel("Address of a model").fill("my model");
  await at.getByRole("button", { name: "Look" }).click();
  assert.match(await at.getByRole("alert").textContent(), /begins with https/);
  await at.getByLabel("Address of a model").fill("hf:org/repo:Q4_K_M");
  await at.getByRole("button", { name: "Look" }).click();
  await at.getByRole("heading", { name: "org/repo:Q4_K_M" }).waitFor();
});

for (const [code, title] of [
  ["E_QUOTA", "Not enough storage"],
  ["E_NOT_GGUF", "This is no GGUF file"],
  ["E_CHECKSUM", "The file is damaged"],
  ["E_OUT_OF_GPU_MEMORY", "Too little graphics memory"],
]) {
  page(`${code} is told as a card, and one can go on`, { mock: { failLoad: code } }, async (at) => {
    await card(at).click();
    await at.getByRole("button", { name: /start/i }).click();
    await at.getByRole("heading", { name: title }).waitFor();
    assert.equal(await problem(at).locator("code").textContent(), code);
    await card(at).waitFor();
  });
}

page("a download that breaks off can be resumed", { mock: { failLoad: "E_NETWORK" } }, async (at) => {
  await card(at).click();
  await at.getByRole("button", { name: /start/i }).click();
  await at.getByRole("heading", { name: "The download broke off" }).waitFor();
  await at.evaluate(() => (window.mock = {}));
  await at.getByRole("button", { name: "Resume" }).click();
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
  assert.equal(await problem(at).count(), 0);
});

page("without a network the card says so", { mock: { failPlan: "E_NETWORK" } }, async (at, { profile }) => {
  await at.evaluate(() => navigator.serviceWorker.ready);
  await profile.setOffline(true);
  await card(at).click();
  await at.getByRole("heading", { name: "You are offline" }).waitFor();
});

page("without WebGPU the processor answers, with a notice", { mock: { backend: "cpu" } }, async (at) => {
  await start(at);
  assert.match(await at.locator(".notice").textContent(), /processor computes/);
});

page("models on the device are listed with their sizes, start again and can be deleted", {}, async (at) => {
  await start(at);
  await at.reload();
  assert.equal(await card(at).locator(".here").textContent(), "on this device");
  await at.getByRole("button", { name: "Models" }).click();
  assert.match(await at.locator(".cached").textContent(), /SmolLM2 135M.*98.4 MB/);
  await at.getByRole("button", { name: "Start", exact: true }).click();
  await at.getByRole("textbox", { name: "Your message" }).waitFor();
  await at.locator(".chip").click();
  await at.getByRole("button", { name: "Delete SmolLM2 135M" }).click();
  await at.getByRole("button", { name: "Really delete" }).click();
  await at.getByText("None yet.").waitFor();
});
