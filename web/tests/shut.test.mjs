import { strict as assert } from "node:assert";
import { ask, start } from "./page.mjs";
import { suite } from "./suite.mjs";

const page = suite();

page("the policy lets no foreign script, style, image or frame in", {}, async (at, { faults }) => {
  const refused = [];
  at.on("requestfailed", (request) => refused.push(`${request.failure().errorText} ${request.url()}`));
  const blocked = await at.evaluate(async () => {
    const found = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => found.push(effectiveDirective));
    const add = (name, values) => document.head.append(Object.assign(document.createElement(name), values));
    add("script", { textContent: "window.harmed = true" });
    add("script", { src: "https://other.example/a.js" });
    add("style", { textContent: "body { color: red }" });
    document.body.append(Object.assign(document.createElement("img"), { src: "https://other.example/a.png" }));
    document.body.append(Object.assign(document.createElement("iframe"), { src: "https://other.example/" }));
    document.body.setAttribute("onclick", "window.harmed = true");
    document.body.click();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { found: [...new Set(found)].sort(), harmed: "harmed" in window };
  });
  assert.equal(blocked.harmed, false);
  assert.deepEqual(blocked.found, ["frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem"]);
  // What is evaluated by a test's own hand escapes the policy, so that of `eval` is read.
  const policy = await at.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
  // The policy stopped what the page began to ask for; the console's complaints are what this test wanted.
  assert.deepEqual(refused, ["csp https://other.example/a.js", "csp https://other.example/a.png"]);
  faults.length = 0;
});

page("the page works without a network after the first visit", { mock: { tokenMs: 0 } }, async (at, { profile, stop, faults }) => {
  await start(at);
  await at.evaluate(() => navigator.serviceWorker.ready);
  await profile.setOffline(true);
  await stop();
  await at.reload();
  await start(at);
  await ask(at, "Why is the sky blue?");
  assert.match(await at.locator(".answer").textContent(), /sunlight/);
  assert.deepEqual(faults, []);
});
