// Answers in a form in headless Chromium, with the engine in a worker, on a tiny model and, where it is here, on SmolLM2: what is
// finished is judged by a validator that knows nothing of the grammars. GOLDCREST_MODELS names the folder of real models.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { Ajv } from "ajv";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: answers in a form in a browser: ${hindrance}`);
  process.exit(0);
}

const tiny = fileURLToPath(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url));
const real = process.env.GOLDCREST_MODELS && join(process.env.GOLDCREST_MODELS, "smollm2-135m.gguf");
const models = { "tiny.gguf": tiny, ...(real && existsSync(real) && { "smollm2.gguf": real }) };
if (!models["smollm2.gguf"]) console.log("skip: forms on SmolLM2: GOLDCREST_MODELS=FOLDER names where it is");
const GRAMMARS = "/dist/wasm/goldcrest_grammar_bg.wasm";

const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 8, pattern: "^[A-Z][a-z]*$" },
    age: { type: "integer", minimum: 0, maximum: 120 },
    kind: { enum: ["friend", "foe", null] },
    tags: { type: "array", items: { type: "boolean" }, maxItems: 2 },
  },
  required: ["name", "age", "kind", "tags"],
  additionalProperties: false,
};
const NUMBERS = { type: "array", items: { type: "number", minimum: -1, maximum: 2.5, multipleOf: 0.5 }, minItems: 1, maxItems: 3 };
const EITHER = { anyOf: [{ const: { a: [1, "x"] } }, { type: "object", properties: { b: { type: "boolean" } }, required: ["b"], additionalProperties: false }] };

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), servePage(models)]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

for (const name of Object.keys(models)) {
  test(`${name}: what is finished fits its schema`, async () => {
    const { page, profile, faults } = await visit(browser, server);
    const schemas = name === "tiny.gguf" ? [PERSON, NUMBERS, EITHER] : [PERSON];
    const answers = await page.evaluate(
      async ([name, schemas]) => {
        const engine = await window.goldcrest.Goldcrest.load(`/${name}`, { backend: "cpu", cache: "memory", contextLength: 512 });
        const answers = [];
        for (const schema of schemas) {
          for (const seed of [0, 1, 2]) {
            // Greedy, from the best candidates, from the whole row.
            const sampling = [{ temperature: 0 }, { temperature: 1, top_k: 40 }, { temperature: 1, top_k: 0, top_p: 1, min_p: 0 }][seed];
            const { choices } = await engine.completions.create({
              prompt: "Once upon a time", max_tokens: 200, seed, ...sampling,
              response_format: { type: "json_schema", json_schema: { schema } },
            });
            answers.push({ schema, text: choices[0].text, finish: choices[0].finish_reason });
          }
        }
        await engine.dispose();
        return answers;
      },
      [name, schemas],
    );
    const judge = new Ajv({ strict: false });
    for (const { schema, text, finish } of answers) {
      assert.equal(finish, "stop", text);
      assert.ok(judge.validate(schema, JSON.parse(text)), `${text}: ${judge.errorsText()}`);
    }
    console.log(`${name}: ${answers.length} answers fit, the last is ${answers.at(-1).text}`);
    assert.deepEqual(faults, []);
    await profile.close();
  });
}

test("the module of grammars is fetched by the first answer in a form", async () => {
  const { page, profile } = await visit(browser, server);
  const fetched = () => server.requests.filter(({ path }) => path === GRAMMARS).length;
  const before = fetched();
  await page.evaluate(async () => {
    window.engine = await window.goldcrest.Goldcrest.load("/tiny.gguf", { backend: "cpu", cache: "memory" });
    await window.engine.completions.create({ prompt: "Hello", max_tokens: 2 });
  });
  assert.equal(fetched(), before);
  const texts = await page.evaluate(async () => {
    const texts = [];
    for (const pattern of ["[0-9]{4}", /[a-f]{3}/]) {
      const { choices } = await window.engine.completions.create({ prompt: "Hello", max_tokens: 20, response_format: { type: "regex", pattern } });
      texts.push(choices[0].text);
    }
    return texts;
  });
  assert.match(texts.join(" "), /^[0-9]{4} [a-f]{3}$/);
  assert.equal(fetched(), before + 1);
  await profile.close();
});

test("a callback of the page restricts words, and a schema that cannot be enforced is refused", async () => {
  const { page, profile } = await visit(browser, server);
  const found = await page.evaluate(async () => {
    const { Goldcrest } = window.goldcrest;
    const engine = await Goldcrest.load("/tiny.gguf", { backend: "cpu", cache: "memory" });
    const monitor = async (text) => (text === "" ? ["alpha", "beta"] : null);
    const word = await engine.completions.create({ prompt: "x", max_tokens: 20, constraint: monitor });
    const schema = { properties: { a: { not: {} } } };
    const create = (request) => engine.completions.create({ prompt: "x", max_tokens: 2, ...request }).catch(({ code, message }) => ({ code, message }));
    const refused = await create({ response_format: { type: "json_schema", json_schema: { schema } } });
    const failed = await create({ constraint: () => { throw Object.assign(new Error("no server"), { code: "MINE" }); } });
    const plain = await create({});
    await engine.dispose();
    return { word: word.choices[0].text, refused, failed, plain: plain.choices.length };
  });
  assert.match(found.word, /^(alpha|beta)(?![0-9A-Za-z_])/);
  assert.equal(found.refused.code, "E_SCHEMA_UNSUPPORTED");
  assert.match(found.refused.message, /`not` at #\/properties\/a\/not/);
  assert.deepEqual(found.failed, { code: "MINE", message: "no server" });
  assert.equal(found.plain, 1);
  await profile.close();
});
