/** Who speaks. `developer` is OpenAI's newer word for `system`, and taken as such. */
export type ChatRole = "system" | "developer" | "user" | "assistant" | "tool";

/** A piece of a message. Only text is understood so far. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A message of a conversation. */
export interface ChatMessage {
  readonly role: ChatRole;
  /** May be left out, or `null`, in a message that calls tools. */
  readonly content?: string | readonly TextPart[] | null | undefined;
  /** Passed on to the chat template. */
  readonly name?: string | undefined;
  /** The calls of an assistant's message. */
  readonly tool_calls?: readonly ToolCall[] | undefined;
  /** The call that a message of the role `tool` answers. */
  readonly tool_call_id?: string | undefined;
}

/** A strategy: `NAME`, `NAME:key=value,…`, or its name and parameters as an object. */
export type StrategyOption = string | { readonly name: string; readonly [parameter: string]: string | number | boolean };

/** What a strategy says of itself: its name, `passes` and `rows` of the model, and what is particular to it. */
export interface StrategyReport {
  readonly name: string;
  readonly passes: number;
  readonly rows: number;
  readonly [entry: string]: unknown;
}

/** An answer, or the beginning of one, to be judged. */
export interface Candidate {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Whether nothing follows. */
  readonly finished: boolean;
}

/** Judges a candidate; more is better. */
export type Scorer = (candidate: Candidate) => number | Promise<number>;

/** Gives an answer's text from elsewhere, such as a server that the user agreed to ask. */
export type Remote = (asked: { readonly maxTokens: number }) => string | Promise<string>;

/** A function that the model may call. */
export interface Tool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | undefined;
    /** A JSON schema of the arguments. What of it cannot be enforced is refused. Default: no arguments. */
    readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  };
}

/** A call of a tool. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** The arguments as JSON text. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A piece of a call: the first one has id and name, all together the arguments. */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments?: string };
}

/** `spaced`: `{"a": 1, "b": 2}`; `compact`: `{"a":1,"b":2}`. Other whitespace is not written. */
export type JsonLayout = "spaced" | "compact";

/** What an answer has to look like. It is enforced token by token; what cannot be enforced is refused (`E_SCHEMA_UNSUPPORTED`). */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object"; readonly layout?: JsonLayout | undefined }
  | {
      readonly type: "json_schema";
      /** As OpenAI has it. It is always strict. */
      readonly json_schema: { readonly name?: string; readonly description?: string; readonly schema: unknown; readonly strict?: boolean | null };
      readonly layout?: JsonLayout | undefined;
    }
  /** The whole answer matches. */
  | { readonly type: "regex"; readonly pattern: string | RegExp }
  /** Lark as llguidance has it, or llama.cpp's GBNF. Default of `syntax`: GBNF if there is a `::=`. */
  | { readonly type: "grammar"; readonly grammar: string; readonly syntax?: "lark" | "gbnf" | undefined };

/**
 * Restricts the next word from a program's state: asked with the answer so far wherever a word may begin, it returns the words of
 * which one has to come, or `null` for any. It may take its time.
 */
export type Monitor = (text: string, tokens: readonly number[]) => readonly string[] | null | Promise<readonly string[] | null>;

/** What both kinds of request understand. Ranges are checked before anything runs. */
export interface SamplingRequest {
  /** Ends the generation: it rejects with an `AbortError` within 100 ms. */
  readonly signal?: AbortSignal | undefined;
  /** The engine has one model; the name is only repeated in the answer. */
  readonly model?: string | undefined;
  /** Most new tokens, 0 and up. Default: as many as the context holds. */
  readonly max_tokens?: number | null | undefined;
  /** 0 to 100; 0 takes the most likely token. Default: 0.7. */
  readonly temperature?: number | null | undefined;
  /** Candidates kept, 0 (all) and up. Default: 40. */
  readonly top_k?: number | null | undefined;
  /** Mass of the candidates kept, 0 to 1. Default: 0.95. */
  readonly top_p?: number | null | undefined;
  /** Least share of the most likely candidate's probability, 0 to 1. Default: 0.05. */
  readonly min_p?: number | null | undefined;
  /** An integer, 0 to 2^53 - 1. The same seed gives the same answer on the same device. Default: a random one. */
  readonly seed?: number | null | undefined;
  /** 0.01 to 100; 1 is off. Default: 1. */
  readonly repetition_penalty?: number | null | undefined;
  /** -100 to 100. Default: 0. */
  readonly frequency_penalty?: number | null | undefined;
  /** -100 to 100. Default: 0. */
  readonly presence_penalty?: number | null | undefined;
  /** Added to the logits of tokens, by id: -10000 to 10000, at most 1024. */
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined;
  /** Where temperature stands: behind the truncations, as in llama.cpp, or before them, as in transformers. Default: `llama_cpp`. */
  readonly order?: "llama_cpp" | "hf" | null | undefined;
  /** Half the width of a temperature that follows the entropy, 0 to 100. Default: 0, off. */
  readonly dynatemp_range?: number | null | undefined;
  /** How it follows the entropy, 0.01 to 100. Default: 1. */
  readonly dynatemp_exponent?: number | null | undefined;
  /** Mass of the most typical candidates kept, 0 to 1. Default: 1, off. */
  readonly typical_p?: number | null | undefined;
  /** Keeps logits within so many deviations of the best, 0 to 100. Default: 0, off. */
  readonly top_n_sigma?: number | null | undefined;
  /** Share of the entropy kept, 0 to 1: top-H. Default: 0, off. */
  readonly top_h?: number | null | undefined;
  /** Which reading of top-H. Default: `hf`. */
  readonly top_h_variant?: "hf" | "authors" | "paper" | null | undefined;
  /** Least probability of a candidate, 0 to 1. Default: 0, off. */
  readonly epsilon_cutoff?: number | null | undefined;
  /** The same, less strict where the entropy is high. Default: 0, off. */
  readonly eta_cutoff?: number | null | undefined;
  /** How often all likely candidates but the last are left out, 0 to 1. Default: 0, off. */
  readonly xtc_probability?: number | null | undefined;
  /** From which probability on a candidate is likely for that, 0 to 1. Default: 0.1. */
  readonly xtc_threshold?: number | null | undefined;
  /** Tokens that the three penalties look back on, -1 (all) and up. Default: 64. */
  readonly penalty_last_n?: number | null | undefined;
  /** Size of the DRY penalty on repeated passages, 0 to 100. Default: 0, off. */
  readonly dry_multiplier?: number | null | undefined;
  /** Its growth with each token of the passage, 0 to 100. Default: 1.75. */
  readonly dry_base?: number | null | undefined;
  /** Shortest passage it counts, 1 and up. Default: 2. */
  readonly dry_allowed_length?: number | null | undefined;
  /** Tokens it looks back on, -1 (all) and up. Default: 64. */
  readonly dry_last_n?: number | null | undefined;
  /** Token sequences across which it counts no passage. Default: all tokens with a line end, a colon, a quote or an asterisk. */
  readonly dry_breakers?: readonly (readonly number[])[] | null | undefined;
  /** So many tokens in a row never come twice, 0 and up. Default: 0, off. */
  readonly no_repeat_ngram?: number | null | undefined;
  /** So many tokens in a row of `no_cite_texts` never come, 0 and up. Default: 8 with texts, else 0, off. */
  readonly no_cite_ngram?: number | null | undefined;
  /** Texts that are not to be cited, as tokens. */
  readonly no_cite_texts?: readonly (readonly number[])[] | null | undefined;
  /** Mirostat 1 or 2 in the place of all truncations. Default: 0, off. */
  readonly mirostat?: 0 | 1 | 2 | null | undefined;
  /** Mirostat's target in bits a token, 0 to 100. Default: 5. */
  readonly mirostat_tau?: number | null | undefined;
  /** Mirostat's learning rate, 0 to 10. Default: 0.1. */
  readonly mirostat_eta?: number | null | undefined;
  /** Whose surprise Mirostat holds at its target. Default: `original`. */
  readonly mirostat_surprise?: "original" | "truncated" | null | undefined;
  /** Probability of the tokens that adaptive-p seeks, 0 to 1; below 0 is off. Default: -1. */
  readonly adaptive_target?: number | null | undefined;
  /** Adaptive-p's share of the past, 0 to 0.99. Default: 0.9. */
  readonly adaptive_decay?: number | null | undefined;
  /** Texts that end the answer and are no part of it: at most 64, each 1 to 1024 bytes. */
  readonly stop?: string | readonly string[] | null | undefined;
  /** Answers, 1 to 128, one after another; each has the seed of the one before it plus one. Default: 1. */
  readonly n?: number | null | undefined;
  /** Go on behind tokens that end an answer. Default: false. */
  readonly ignore_eos?: boolean | null | undefined;
  /** What the answer has to look like. An answer that reaches `max_tokens` is cut off (`length`). Default: text. */
  readonly response_format?: ResponseFormat | null | undefined;
  /** Restricts the next word from a program's state. */
  readonly constraint?: Monitor | null | undefined;
  /** Stream chunks. Default: false. */
  readonly stream?: boolean | null | undefined;
  /**
   * `include_usage: true` puts usage into a chunk of its own behind the last choice, as OpenAI does. By default the last
   * chunk that ends a choice carries it.
   */
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined;
  /** Report the ids of the prompt's and the answer's tokens. Default: false. */
  readonly return_token_ids?: boolean | null | undefined;
  /**
   * Another way of making the answer than one token after another: a name with parameters (`"beam:beams=4"`) or an object
   * (`{ name: "beam", beams: 4 }`). {@link Engine.strategies} lists the names. Some work with a second model
   * ({@link Engine.loadOther}), and reject with `E_STRATEGY_NEEDS` without one.
   */
  readonly strategy?: StrategyOption | null | undefined;
  /**
   * Guess several tokens at once and verify them in one pass: the same answer in fewer passes. A drafter with parameters
   * (`"auto"`, `"suffix:tokens=5"`) or an object (`{ name: "recycling", rows: 16 }`); not beside a `strategy`. `"draft"` and its
   * kin guess with the model of {@link Engine.loadOther}, which must not be larger (`E_DRAFT_TOO_LARGE`). The answer's
   * `usage.speculation` says what came of it, and in a stream the chunks of accepted guesses are marked.
   */
  readonly speculate?: StrategyOption | null | undefined;
  /** Prompts that a strategy contrasts with, such as the question without its document. */
  readonly references?: readonly (string | readonly ChatMessage[] | readonly number[])[] | null | undefined;
  /** Judges answers for a strategy that wants it; more is better. */
  readonly scorer?: Scorer | null | undefined;
  /** Answers in the model's place, for the strategy `remote_cascade`. The package itself sends nothing anywhere. */
  readonly remote?: Remote | null | undefined;
  /**
   * Put a record into the answer: all that is needed to repeat it, and hashes that show a later change. `goldcrest verify FILE`, the
   * command, repeats it. The first record of an engine reads the model's file once more, for its SHA-256, and with a strategy that of a
   * second model, which `goldcrest verify` then takes as `--other`. One answer (`n: 1`). Refused beside `scorer`, `remote` and
   * `constraint`, since a record cannot hold what a function says, beside lossy acceptance, and for sampled answers beside drafters
   * whose guesses are draws, unless `plan=false`: those answers depend on times. Default: false.
   */
  readonly record?: boolean | null | undefined;
  /** A label of the caller's; without effect. */
  readonly user?: string | undefined;
}

/** A request to `engine.chat.completions.create`. */
export interface ChatCompletionRequest extends SamplingRequest {
  readonly messages: readonly ChatMessage[];
  /** OpenAI's newer name of `max_tokens`. */
  readonly max_completion_tokens?: number | null | undefined;
  /** Report the log-probability of each token. */
  readonly logprobs?: boolean | null | undefined;
  /** Alternatives reported with each token, 0 to 256; asks for `logprobs: true`. */
  readonly top_logprobs?: number | null | undefined;
  /** Functions that the model may call, if its chat template takes tools. */
  readonly tools?: readonly Tool[] | null | undefined;
  /** Whether it may, must not or must call one, or which. Calls are enforced to fit. Default: `auto`. */
  readonly tool_choice?: "none" | "auto" | "required" | { readonly type: "function"; readonly function: { readonly name: string } } | null | undefined;
  /** Several calls in one answer, where the model's format can write them. Default: true. */
  readonly parallel_tool_calls?: boolean | null | undefined;
}

/** A request to `engine.completions.create`: text as it is, without the chat template. */
export interface CompletionRequest extends SamplingRequest {
  /** The text, or exactly these tokens. */
  readonly prompt: string | readonly number[];
  /** Alternatives reported with each token, 0 to 256. */
  readonly logprobs?: number | null | undefined;
  /** Repeat the prompt before the answer. Default: false. */
  readonly echo?: boolean | null | undefined;
  /** Read the names of special tokens in the prompt as those tokens. Default: false. */
  readonly parse_special?: boolean | null | undefined;
}

/** Why an answer ended: the model or its form ended it or a stop text came; as many tokens as were allowed; with calls of tools. */
export type FinishReason = "stop" | "length" | "tool_calls";

/** What a request with `record: true` brings: write it to a file as JSON, and `goldcrest verify FILE` repeats the answer. */
export interface GenerationRecord {
  readonly body: {
    readonly version: number;
    /** The file's name, size and SHA-256; above 4 GiB that of its first 64 MiB and its size. */
    readonly model: ModelHash;
    readonly tokenizer_sha256: string;
    readonly template_sha256: string | null;
    readonly build: Readonly<Record<string, unknown>>;
    readonly adapter: Readonly<Record<string, unknown>>;
    /** Everything that was asked for beside the prompt, defaults included. */
    readonly settings: Readonly<Record<string, unknown>> & { readonly seed: number; readonly n_ctx: number; readonly deterministic: boolean };
    readonly prompt_sha256: string;
    readonly prompt_tokens: readonly number[];
    readonly tokens: readonly number[];
    readonly text: string;
    readonly finish_reason: string;
    /** How each token was chosen, and how far apart the two best logits were. */
    readonly steps: readonly { readonly token: number; readonly logprob: number; readonly gap: number }[];
    /** The step where they were closest. */
    readonly closest: number | null;
  };
  /** Hashes over the body. */
  readonly chain: Readonly<Record<string, unknown>>;
}

/** Which model file. */
export interface ModelHash {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly of: string;
}

/** Counts of tokens. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Tokens of the prompt that were still in the KV cache. */
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  /** What guessing came to, where `speculate` was asked for. With several answers: over all of them. */
  readonly speculation?: SpeculationUsage;
}

/** What guessing several tokens at once came to. */
export interface SpeculationUsage {
  /** Who guessed. */
  readonly drafter: string;
  /** Passes of the model. */
  readonly steps: number;
  /** Tokens a pass; 1 without guesses. */
  readonly tau: number;
  /** How many passes accepted 0, 1, 2 … guesses. */
  readonly accepted_histogram: readonly number[];
  /** Milliseconds spent on guessing. */
  readonly draft_ms: number;
  /** Milliseconds spent on passes of the model. */
  readonly verify_ms: number;
  /** Where `accept` was asked for: the rule, and how many guesses it took that the model would not have chosen. */
  readonly lossy?: { readonly rule: string; readonly taken: number };
}

/** Times of a request. With several answers: sums, and the first answer's `ttft_ms`. */
export interface Timings {
  /** Milliseconds from the start of the generation to the first token. */
  readonly ttft_ms: number;
  readonly prefill_tokens: number;
  readonly prefill_ms: number;
  readonly prefill_tokens_per_second: number;
  readonly decode_tokens: number;
  readonly decode_ms: number;
  /** Decoded tokens per second. */
  readonly tokens_per_second: number;
  readonly reused_tokens: number;
  readonly forward_passes: number;
  readonly submits: number;
  readonly readbacks: number;
  readonly dispatches_per_token: number;
}

/** A token that might have been chosen. */
export interface TopLogprob {
  /** The token's id in the vocabulary. */
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** A chosen token. */
export interface TokenLogprob extends TopLogprob {
  readonly top_logprobs: readonly TopLogprob[];
}

/** The tokens of an answer, or of a chunk of it. */
export interface ChoiceLogprobs {
  readonly content: readonly TokenLogprob[];
}

/** What `return_token_ids` adds to a choice: all tokens, one that ends the answer included; in a chunk, those that are new. */
export interface ChoiceTokens {
  readonly token_ids?: readonly number[];
}

/** What `return_token_ids` adds to an answer, or to its first chunk: the prompt as the model saw it. */
export interface PromptTokens {
  readonly prompt_token_ids?: readonly number[];
}

/** A whole answer. */
export interface ChatCompletion extends PromptTokens {
  readonly id: string;
  readonly object: "chat.completion";
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly (ChoiceTokens & {
    readonly index: number;
    /** The content of an answer that only calls tools is empty. */
    readonly message: { readonly role: "assistant"; readonly content: string; readonly tool_calls?: readonly ToolCall[] };
    readonly finish_reason: FinishReason;
    readonly logprobs: ChoiceLogprobs | null;
  })[];
  readonly usage: Usage;
  readonly timings: Timings;
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}

/** What `speculate` adds to the choice of a chunk: its tokens were guessed, and the model agreed. */
export interface ChoiceGuessed {
  readonly guessed?: true;
}

/** A piece of an answer. The last one has `usage` and `timings`. */
export interface ChatCompletionChunk extends PromptTokens {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly (ChoiceTokens & ChoiceGuessed & {
    readonly index: number;
    readonly delta: { readonly role?: "assistant"; readonly content?: string; readonly tool_calls?: readonly ToolCallDelta[] };
    readonly finish_reason: FinishReason | null;
    readonly logprobs: ChoiceLogprobs | null;
  })[];
  readonly usage?: Usage | null;
  readonly timings?: Timings;
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}

/** Log-probabilities in the shape of `completions`: lists of equal length. */
export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
  /** Where each token begins in the text of the choice, in UTF-16 units. */
  readonly text_offset: readonly number[];
}

/** A whole continuation. */
export interface Completion extends PromptTokens {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly (ChoiceTokens & {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: FinishReason;
    readonly logprobs: CompletionLogprobs | null;
  })[];
  readonly usage: Usage;
  readonly timings: Timings;
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}

/** A piece of a continuation. The last one has `usage` and `timings`. */
export interface CompletionChunk extends PromptTokens {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly (ChoiceTokens & ChoiceGuessed & {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: FinishReason | null;
    readonly logprobs: CompletionLogprobs | null;
  })[];
  readonly usage?: Usage | null;
  readonly timings?: Timings;
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}

/** A request to `engine.score`. */
export interface ScoreRequest {
  /** The text, or exactly these tokens. */
  readonly prompt: string | readonly number[];
  /** The continuations as they follow the prompt: with the space that stands before them, if one does. */
  readonly continuations: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A continuation and how likely it is. */
export interface Scored {
  readonly tokens: readonly number[];
  /** Log-probability of each token behind those before it. */
  readonly logprobs: readonly number[];
  /** Their sum. */
  readonly logprob: number;
}

/** A request to `engine.classify`. */
export interface ClassifyRequest {
  /** The prompt, with `{}` where an input goes. */
  readonly prompt: string;
  /** The labels as they follow the prompt: with the space that stands before them, if one does. */
  readonly labels: readonly string[];
  /** The inputs; none for a prompt without `{}`. */
  readonly inputs?: readonly string[] | undefined;
  /** What probabilities are divided by: their mean over the inputs, what inputs without content get, or what no input gets. Default: `none`. */
  readonly calibrate?: "none" | "cbm" | "cc" | "pmi" | undefined;
  /** What the length of a label does to its score. Default: `sum`. */
  readonly length?: "sum" | "mean" | "first" | undefined;
  /** Put the prompt into the model's chat template, as the user's message. Default: false. */
  readonly chat?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An input's label. */
export interface Classified {
  /** The input; `null` for a prompt without one. */
  readonly input: string | null;
  /** Index of the label. */
  readonly best: number;
  readonly label: string;
  /** The model's distribution over the labels. */
  readonly p: readonly number[];
  /** The same, calibrated; with `pmi` the information of each label in nats. */
  readonly calibrated: readonly number[];
  readonly scored: readonly Scored[];
}
