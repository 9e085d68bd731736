// What guessing learns survives a reload of the page, in its private file system, and a damaged file is thrown away with a note.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: memory of guesses in a browser: ${hindrance}`);
  process.exit(0);
}

const tiny = fileURLToPath(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url));
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), servePage({ "tiny.gguf": tiny })]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Loads the model, has it answer with recycled tokens, and waits until `files` files are kept. */
const answered = (page, guessMemory, files) =>
  page.evaluate(
    async ([guessMemory, files]) => {
      const engine = await window.goldcrest.Goldcrest.load("/tiny.gguf", { backend: "cpu", contextLength: 512, guessMemory });
      const kept = async () => {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle("goldcrest-models").then((models) => models.getDirectoryHandle("guesses")).catch(() => undefined);
        const names = [];
        if (folder) for await (const name of folder.keys()) names.push(name);
        return names.sort();
      };
      const begun = await kept();
      const { choices, usage } = await engine.completions.create({
        prompt: "Hello world", max_tokens: 24, temperature: 0, ignore_eos: true, return_token_ids: true, speculate: "recycling:plan=false",
      });
      for (let wait = 0; wait < 100 && (await kept()).length < files; wait += 1) await new Promise((resolve) => setTimeout(resolve, 20));
      // A worker that is ended in the middle of a write leaves half a file.
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { notes, worker } = engine.info;
      await engine.dispose();
      return { ids: choices[0].token_ids, tau: usage.speculation.tau, notes, worker, begun, kept: await kept() };
    },
    [guessMemory, files],
  );

test("what guessing learns survives a reload, and damage costs nothing but the memory", async () => {
  const { page, profile, faults } = await visit(browser, server);
  const reload = async () => {
    await page.reload();
    await page.waitForFunction(() => window.goldcrest);
  };
  const none = await answered(page, false, 0);
  assert.deepEqual([none.kept, none.worker], [[], true], "nothing is kept unasked");
  const first = await answered(page, true, 2);
  assert.deepEqual([first.tau, first.kept.length], [none.tau, 2]);
  await reload();
  const second = await answered(page, true, 2);
  assert.deepEqual([second.ids, second.notes], [first.ids, first.notes]);
  assert.ok(second.tau > first.tau, `${second.tau} tokens a pass behind ${first.tau}`);

  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("goldcrest-models")).getDirectoryHandle("guesses");
    const names = [];
    for await (const name of folder.keys()) names.push(name);
    for (const name of names.filter((name) => name !== "order.json")) {
      const handle = await folder.getFileHandle(name);
      // The worker that has just ended may hold it for a moment.
      let stream;
      for (let wait = 0; stream === undefined && wait < 50; wait += 1) {
        stream = await handle.createWritable().catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
      }
      await stream.write("GCSPEC02 and then nothing that could be right");
      await stream.close();
    }
  });
  await reload();
  const third = await answered(page, true, 2);
  assert.match(third.notes.at(-1), /kept for guessing is not used/);
  assert.deepEqual([third.begun, third.kept.length], [["order.json"], 2]);
  assert.deepEqual([third.ids, third.tau], [first.ids, first.tau]);
  await page.evaluate(() => window.goldcrest.Goldcrest.forgetGuesses());
  assert.deepEqual((await answered(page, false, 0)).kept, []);
  assert.deepEqual(faults, []);
  await profile.close();
});
