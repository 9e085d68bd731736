import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { Goldcrest } from "goldcrest";
import type { ChatMessage, CompletionRequest } from "../dist/index.js";
import { KINDS, loadEngine } from "./load.js";

const messages: ChatMessage[] = [{ role: "user", content: "Hello" }];

for (const kind of KINDS) {
  test(`${kind}: a strategy reaches the engine, its questions the caller, its report the answer`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const asked: unknown[] = [];
    const answer = await engine.chat.completions.create({
      messages,
      max_tokens: 3,
      strategy: { name: "best_of_n", n: 4 },
      references: ["Bye", [{ role: "system", content: "Short." }]],
      async scorer(candidate) {
        asked.push(candidate);
        return 0.25;
      },
      remote: ({ maxTokens }) => `from afar, ${maxTokens}`,
    });
    const [request] = realm.control.requests;
    assert.deepEqual(request?.["strategy"], { name: "best_of_n", n: 4 });
    assert.deepEqual(request?.["references"], [
      { messages: [{ role: "user", content: "Bye" }], add_generation_prompt: true },
      { messages: [{ role: "system", content: "Short." }], add_generation_prompt: true },
    ]);
    assert.deepEqual(asked, [{ text: "word0 ", tokens: [0], finished: false }]);
    assert.deepEqual([answer.strategy?.["score"], answer.strategy?.["remote"]], [0.25, "from afar, 3"]);

    const chunks = [];
    for await (const chunk of await engine.completions.create({ prompt: "x", max_tokens: 2, strategy: "beam", references: [[1, 2]], stream: true })) {
      chunks.push(chunk);
    }
    assert.equal(chunks.at(-1)?.strategy?.name, "beam");
    assert.deepEqual(realm.control.requests[1]?.["references"], [{ tokens: [1, 2] }]);
    await engine.dispose();
  });

  test(`${kind}: what a scorer throws is what the caller gets, and the engine goes on`, async () => {
    const { engine } = await loadEngine(kind);
    const broken = new Error("no test runner here");
    const scorer = (): never => {
      throw broken;
    };
    await assert.rejects(engine.completions.create({ prompt: "x", strategy: "best_of_n", scorer }), /no test runner here/);
    assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices.length, 1);
    assert.deepEqual(await engine.strategies(), [{ name: "beam", summary: "several at once" }]);
    const trace = await engine.trace("x", { chain: "top_k(3) | draw" });
    assert.deepEqual([trace.stages[0]?.nCandidates, trace.choice.text], [256, "a"]);
    await engine.dispose();
  });
}

test("what guessing came to is in the usage, and accepted guesses are marked", async () => {
  const { engine } = await loadEngine("local");
  const answer = await engine.chat.completions.create({ messages, max_tokens: 3, n: 2, speculate: "auto" });
  assert.deepEqual(answer.usage.speculation, {
    drafter: "auto", steps: 4, tau: 1.5, accepted_histogram: [2, 2], draft_ms: 2, verify_ms: 8,
  });
  const marked = [];
  for await (const chunk of await engine.completions.create({ prompt: "x", max_tokens: 3, speculate: "auto", stream: true })) {
    if ((chunk.choices[0]?.text ?? "") !== "") marked.push(chunk.choices[0]?.guessed ?? false);
  }
  assert.deepEqual(marked, [false, true, true, false]);
  assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).usage.speculation, undefined);
  await engine.dispose();
});

test("a drafter is the strategy that works with it", async () => {
  const { engine, realm } = await loadEngine("local");
  for (const speculate of ["auto", "suffix:tokens=5,rows=4", { name: "recycling", rows: 16 }]) {
    await engine.completions.create({ prompt: "x", max_tokens: 1, speculate });
  }
  assert.deepEqual(
    realm.control.requests.map((request) => request["strategy"]),
    ["speculate:drafter=auto", "speculate:drafter=suffix,tokens=5,rows=4", { name: "speculate", drafter: "recycling", rows: 16 }],
  );
  await engine.dispose();
});

test("what no strategy asked for, and what is none, is refused", async () => {
  const { engine } = await loadEngine("local");
  for (const [parameter, more] of [
    ["strategy", { strategy: {} }],
    ["speculate", { speculate: {} }],
    ["speculate", { speculate: "auto", strategy: "beam" }],
    ["strategy", { strategy: 5 }],
    ["references", { references: ["x"] }],
    ["scorer", { scorer: () => 1 }],
    ["scorer", { strategy: "beam", scorer: 5 }],
    ["remote", { remote: () => "x" }],
    ["references", { strategy: "beam", references: "x" }],
  ] as const) {
    const request = { prompt: "x", ...more } as unknown as CompletionRequest;
    await assert.rejects(engine.completions.create(request), (error: { code?: string; details?: { parameter?: string } }) => {
      assert.deepEqual([error.code, error.details?.parameter], ["E_INVALID_PARAMETER", parameter]);
      return true;
    });
  }
  await engine.dispose();
});

// The engine is built by `cargo xtask wasm`, which needs a Rust toolchain; the suite builds it before these tests.
const built = existsSync(new URL("../dist/wasm/goldcrest_wasm_bg.wasm", import.meta.url));
const skip = built ? false : "src/wasm/ is empty: run `cargo xtask wasm` and `npm run build`";

test("a strategy of each group, on a real engine", { skip }, async () => {
  const engine = await Goldcrest.load(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url), { backend: "cpu" });
  const base = { prompt: "Hello world", max_tokens: 8, temperature: 0, ignore_eos: true, return_token_ids: true };
  const plain = await engine.completions.create(base);
  const listed = (await engine.strategies()).map(({ name }) => name);
  for (const name of ["sample", "beam", "best_of_n", "context_aware"]) assert.ok(listed.includes(name), name);

  // At its neutral setting each is plain decoding.
  for (const strategy of ["sample", "beam:beams=1", { name: "context_aware", alpha: 0 }, { name: "dola", weight: 0, beta: 0 }]) {
    const got = await engine.completions.create({ ...base, strategy, references: ["Hello"] });
    assert.deepEqual(got.choices[0]?.token_ids, plain.choices[0]?.token_ids, JSON.stringify(strategy));
    assert.ok((got.strategy?.passes ?? 0) >= 8);
  }
  const contrasted = await engine.completions.create({ ...base, strategy: "context_aware:alpha=3", references: ["Hello"] });
  assert.notDeepEqual(contrasted.choices[0]?.token_ids, plain.choices[0]?.token_ids);

  const seen: string[] = [];
  const scorer = ({ text }: { text: string }): number => seen.push(text);
  const best = await engine.completions.create({ ...base, temperature: 1, seed: 1, strategy: "best_of_n:n=3", scorer });
  assert.deepEqual([seen.length, best.choices[0]?.text], [3, seen[2]]);

  const remote = (): string => "Hello world";
  const cascade = { ...base, strategy: "remote_cascade:by=entropy,threshold=0,probe=2", remote };
  const away = await engine.completions.create(cascade);
  assert.deepEqual([away.choices[0]?.text, away.strategy?.["remote"]], ["Hello world", true]);
  await assert.rejects(engine.completions.create({ ...base, strategy: "remote_cascade" }), { code: "E_STRATEGY_NEEDS" });
  await assert.rejects(engine.completions.create({ ...base, strategy: "no_such" }), { code: "E_UNKNOWN_STRATEGY" });

  const trace = await engine.trace("Hello world", { chain: "top_k(5) | temp(0.5) | greedy" });
  assert.deepEqual(trace.stages.map(({ nCandidates }) => nCandidates).slice(0, 2), [384, 5]);
  assert.equal(trace.choice.id, plain.choices[0]?.token_ids?.[0]);
  await engine.dispose();
});
