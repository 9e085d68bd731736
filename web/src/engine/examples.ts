import type { Trial } from "./method.js";

/** A trial to begin with. */
export interface Example {
  readonly title: string;
  readonly trial: Trial;
  /** Whether it works with a second model. */
  readonly pair?: true;
}

/** A trial of nothing in particular. */
export const PLAIN: Trial = { name: "sample", parameters: "", prompt: "", reference: "", word: "", schema: "", labels: "", record: false, settings: "" };

const CAPITAL = "Finish the sentence: the capital of France is";
const MOVED = `The government of France has moved. Its capital is now Lyon. ${CAPITAL}`;
const CITY = { type: "object", properties: { city: { type: "string", maxLength: 20 }, millions: { type: "integer" } }, required: ["city", "millions"], additionalProperties: false };

/** One of each group of methods, small enough to wait for. */
export const EXAMPLES: readonly Example[] = [
  { title: "Sampling", trial: { ...PLAIN, prompt: "Tell me a story about a lighthouse." } },
  { title: "Search", trial: { ...PLAIN, name: "beam", parameters: "beams=4", prompt: "Why is the sky blue?" } },
  { title: "Against loops", trial: { ...PLAIN, name: "contrastive_search", prompt: "Write a long poem about rain." } },
  { title: "Best of four", trial: { ...PLAIN, name: "best_of_n", parameters: "n=4", prompt: "Describe the sea in one sentence.", word: "sea" } },
  { title: "Document over memory", trial: { ...PLAIN, name: "context_aware", parameters: "alpha=0.5", prompt: MOVED, reference: CAPITAL } },
  { title: "Guess and verify", trial: { ...PLAIN, name: "speculate", parameters: "drafter=auto", prompt: "Say three times: the quick brown fox jumps over the lazy dog." } },
  { title: "A form", trial: { ...PLAIN, prompt: "Name a large city and its inhabitants in millions, as JSON.", schema: JSON.stringify(CITY) } },
  { title: "Labels", trial: { ...PLAIN, prompt: "The opposite of hot is", labels: "cold, warm, blue" } },
  { title: "A record", trial: { ...PLAIN, prompt: "Tell me a joke.", record: true } },
  { title: "A second model guesses", pair: true, trial: { ...PLAIN, name: "speculate", parameters: "drafter=draft,tokens=4", prompt: "Why is the sky blue?" } },
  { title: "Two models take turns", pair: true, trial: { ...PLAIN, name: "entropy_adaptive", prompt: "Why is the sky blue?" } },
];
