import { invalidParameter } from "../errors.js";

/** The further settings that are numbers: least and largest value, and whether they are whole. */
export const NUMBERS = {
  dynatemp_range: [0, 100, false],
  dynatemp_exponent: [0.01, 100, false],
  typical_p: [0, 1, false],
  top_n_sigma: [0, 100, false],
  top_h: [0, 1, false],
  epsilon_cutoff: [0, 1, false],
  eta_cutoff: [0, 1, false],
  xtc_probability: [0, 1, false],
  xtc_threshold: [0, 1, false],
  penalty_last_n: [-1, 2 ** 31 - 1, true],
  dry_multiplier: [0, 100, false],
  dry_base: [0, 100, false],
  dry_allowed_length: [1, 2 ** 31 - 1, true],
  dry_last_n: [-1, 2 ** 31 - 1, true],
  no_repeat_ngram: [0, 2 ** 31 - 1, true],
  no_cite_ngram: [0, 2 ** 31 - 1, true],
  mirostat: [0, 2, true],
  mirostat_tau: [0, 100, false],
  mirostat_eta: [0, 10, false],
  adaptive_target: [-1, 1, false],
  adaptive_decay: [0, 0.99, false],
} as const satisfies Readonly<Record<string, readonly [number, number, boolean]>>;

/** The further settings that are words, with the words. */
export const WORDS = {
  order: ["llama_cpp", "hf"],
  top_h_variant: ["hf", "authors", "paper"],
  mirostat_surprise: ["original", "truncated"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The further settings that are lists of token sequences. */
export const TOKEN_LISTS = ["no_cite_texts", "dry_breakers"] as const;

/** The further settings as the engine takes them. */
export type FurtherSettings = { readonly [Name in keyof typeof NUMBERS]?: number } & { readonly [Name in keyof typeof WORDS]?: string } & {
  readonly [Name in (typeof TOKEN_LISTS)[number]]?: readonly (readonly number[])[];
};

/** Names of all further settings. */
export const FURTHER: readonly string[] = [...Object.keys(NUMBERS), ...Object.keys(WORDS), ...TOKEN_LISTS];

/** Checks the further settings of a request. */
export function readFurther(fields: Readonly<Record<string, unknown>>): FurtherSettings {
  const read: Record<string, unknown> = {};
  for (const name of FURTHER) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    const allowed = refusal(name, value);
    if (allowed !== undefined) throw invalidParameter(name, value, allowed);
    read[name] = value;
  }
  return read as FurtherSettings;
}

/** What is allowed, if the value is not. */
function refusal(name: string, value: unknown): string | undefined {
  if (name in NUMBERS) {
    const [least, most, whole] = NUMBERS[name as keyof typeof NUMBERS];
    const right = typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (right) return undefined;
    const range = most === 2 ** 31 - 1 ? `${least} and up` : `${least} to ${most}`;
    return whole ? `an integer, ${range}` : range;
  }
  if (name in WORDS) {
    const words: readonly unknown[] = WORDS[name as keyof typeof WORDS];
    return words.includes(value) ? undefined : words.join(" or ");
  }
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every(isId);
  return Array.isArray(value) && value.every(isList) ? undefined : "a list of lists of token ids";
}
