// The golden data of the repository, and the rule by which a path may part from its reference. Runs in Node and in pages.

/** Two best logits closer than this may change places: see crates/engine/tests/common/mod.rs. */
export const TIE = 0.05;

/** Tiny models with a greedy path of the float32 reference. */
export const MODELS = ["llama", "llama3_rope", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "olmoe"];

/** Weight types of the one-layer models whose next token is known. */
export const TYPES = [
  "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "TQ1_0",
  "TQ2_0", "MXFP4",
];

/** Logits of quantized models may be this far from the reference: see crates/engine/tests/quants.rs. */
export const QUANT_TOLERANCE = 0.02;

/** Where a path leaves its reference other than at a tie, as a sentence; `undefined` if it does not. */
export function partsFrom({ ids, gaps }, found) {
  const at = ids.findIndex((id, i) => id !== found[i]);
  if (at < 0 || (found.length === ids.length && gaps[at] < TIE)) return undefined;
  return `parts at ${at}: ${found} for ${ids}`;
}

/** A file in memory as the engine reads it. */
export function bytesSource(bytes) {
  return {
    size: bytes.byteLength,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

/** Runs one generation; everything that came of it. */
export async function generate(engine, request, signal = { aborted: false }, onEvent = () => {}, constraint = undefined) {
  const events = [];
  const take = (text) => {
    const event = JSON.parse(text);
    events.push(event);
    return onEvent(event);
  };
  const stats = JSON.parse(await engine.generate(JSON.stringify(request), take, signal, constraint));
  return { events, stats, end: events.at(-1) };
}

/** The greedy continuation of a reference, with the engine's own steps per submit. */
export async function greedy(engine, { prompt, ids }, more = {}) {
  const request = { prompt: { tokens: prompt }, temperature: 0, max_tokens: ids.length, ignore_eos: true, ...more };
  return (await generate(engine, request)).stats.tokens;
}

/** How far the token that the reference expects behind its prompt lies from the best one, in logits. */
export async function behindExpected(engine, ids, expected) {
  const request = { prompt: { tokens: ids }, temperature: 0, max_tokens: 1, ignore_eos: true, logprobs: 256 };
  const { events } = await generate(engine, request);
  const { top } = events.find((event) => event.type === "token");
  const found = top.find((candidate) => candidate.id === expected);
  return found === undefined ? Infinity : top[0].logprob - found.logprob;
}
