import { PLAIN } from "./examples.js";
import type { Trial } from "./method.js";

/** What of a method's page can be tried here: a trial, or stages of a sampler; nothing where neither is a command of the page. */
export interface PageExample {
  readonly trial: Trial | null;
  readonly chain: string | null;
}

/** Reads the example of a page from its first commands: `goldcrest run`, `score` and `sample`. */
export function exampleOf(markdown: string): PageExample {
  let trial: Trial | null = null;
  let chain: string | null = null;
  for (const line of commands(markdown)) {
    const [, command = "", ...words] = wordsOf(line);
    if (command === "sample") chain ??= optionsOf(words).get("--chain")?.[0] ?? null;
    else if (trial === null || trial.name === PLAIN.name) trial = trialOf(command, optionsOf(words)) ?? trial;
  }
  return { trial, chain };
}

/** Commands of the fenced blocks of a shell. */
function commands(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  return blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n")).filter((line) => line.startsWith("goldcrest "));
}

function trialOf(command: string, options: Options): Trial | null {
  const prompt = options.get("-p")?.[0] ?? "";
  if (command === "score") {
    const labels = (options.get("--choices") ?? []).map((label) => label.trim()).join(", ");
    return { ...PLAIN, prompt: prompt.replace("{}", options.get("--input")?.[0] ?? ""), labels };
  }
  if (command !== "run") return null;
  const speculate = options.get("--speculate")?.[0];
  const strategy = speculate === undefined ? (options.get("--strategy")?.[0] ?? PLAIN.name) : `speculate:drafter=${speculate.replace(":", ",")}`;
  const at = strategy.indexOf(":");
  const word = /^grep -o (\S+) /.exec(options.get("--scorer")?.[0] ?? "")?.[1] ?? "";
  return {
    ...PLAIN,
    name: at < 0 ? strategy : strategy.slice(0, at),
    parameters: at < 0 ? "" : strategy.slice(at + 1),
    prompt,
    reference: options.get("--reference")?.[0] ?? "",
    word,
    schema: options.get("--json-schema")?.[0] ?? "",
    record: options.has("--record"),
    settings: settingsOf(options),
  };
}

type Options = ReadonlyMap<string, readonly string[]>;

/** Options with the words behind them. */
function optionsOf(words: readonly string[]): Options {
  const options = new Map<string, string[]>();
  let last: string[] = [];
  for (const word of words) {
    if (/^--?[a-z]/.test(word)) options.set(word, (last = options.get(word) ?? []));
    else last.push(word);
  }
  return options;
}

/** The sampler's settings of a command by their names in a request. */
function settingsOf(options: Options): string {
  const named = [...options].flatMap(([option, [value]]) => (SETTINGS.has(option) && value !== undefined ? [`${SETTINGS.get(option)}=${value}`] : []));
  return named.join(", ");
}

/** Options of the command that are settings of a request, by their names there. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ["--temp", "temperature"],
  ["--repeat-penalty", "repetition_penalty"],
  ...[
    "top-k", "top-p", "min-p", "seed", "order", "dynatemp-range", "typical-p", "top-n-sigma", "top-h", "epsilon-cutoff", "eta-cutoff",
    "xtc-probability", "xtc-threshold", "dry-multiplier", "no-repeat-ngram", "mirostat", "mirostat-tau", "mirostat-eta", "adaptive-target",
  ].map((name): [string, string] => [`--${name}`, name.replaceAll("-", "_")]),
]);

/** Words of a command, with quotes as a shell has them. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""));
}
