import type { EventAnswer, GenerateEvent, GenerateRequest, Question } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import type { Progress } from "../types.js";
import type { Candidate, Scorer, Remote } from "./types.js";

/** What a strategy is given, and who answers its questions. */
export interface StrategyUse {
  readonly request: Pick<GenerateRequest, "strategy" | "references" | "scored" | "remote">;
  readonly scorer: Scorer | undefined;
  readonly remote: Remote | undefined;
}

type Prompt = GenerateRequest["prompt"];

/** Reads `strategy` or `speculate`, `references`, `scorer` and `remote`. A strategy's own parameters are checked by the engine. */
export function readStrategy(fields: Readonly<Record<string, unknown>>, readReference: (value: unknown) => Prompt): StrategyUse {
  const strategy = fields["strategy"] ?? readSpeculate(fields["speculate"] ?? undefined);
  if ((fields["strategy"] ?? undefined) !== undefined && (fields["speculate"] ?? undefined) !== undefined) {
    throw invalidParameter("speculate", fields["speculate"], "nothing beside a strategy");
  }
  const scorer = readFunction(fields, "scorer") as Scorer | undefined;
  const remote = readFunction(fields, "remote") as Remote | undefined;
  const references = fields["references"] ?? undefined;
  if (references !== undefined && !Array.isArray(references)) throw invalidParameter("references", references, "a list of prompts");
  if (strategy === undefined) {
    for (const name of ["references", "scorer", "remote"]) {
      if (fields[name] !== undefined && fields[name] !== null) throw invalidParameter(name, fields[name], "nothing unless there is a strategy");
    }
    return { request: {}, scorer: undefined, remote: undefined };
  }
  const named = typeof strategy === "object" && strategy !== null && typeof (strategy as { name?: unknown }).name === "string";
  if (typeof strategy !== "string" && !named) throw invalidParameter("strategy", strategy, "a name, or an object with name and parameters");
  return {
    request: {
      strategy: strategy as string | Readonly<Record<string, unknown>>,
      ...(references === undefined ? {} : { references: (references as unknown[]).map(readReference) }),
      ...(scorer === undefined ? {} : { scored: true }),
      ...(remote === undefined ? {} : { remote: true }),
    },
    scorer,
    remote,
  };
}

/** Whether an event is a question, which somebody has to answer. */
export function isQuestion(event: GenerateEvent | Progress): event is Question {
  return "type" in event && (event.type === "score" || event.type === "remote" || event.type === "words");
}

/** Answers a strategy's question with the caller's function. */
export async function answerQuestion(use: StrategyUse, question: Exclude<Question, { type: "words" }>): Promise<EventAnswer> {
  if (question.type === "remote") return use.remote?.({ maxTokens: question.max_tokens });
  const { text, tokens, finished } = question satisfies Candidate;
  return use.scorer?.({ text, tokens, finished });
}

/** A drafter as the strategy that works with it: `auto:rows=8` is `speculate:drafter=auto,rows=8`. */
function readSpeculate(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (typeof value === "string") return `speculate:drafter=${value.replace(":", ",")}`;
  const { name, ...parameters } = (typeof value === "object" ? value : {}) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string") throw invalidParameter("speculate", value, "a drafter's name, or an object with name and parameters");
  return { ...parameters, name: "speculate", drafter: name };
}

function readFunction(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = fields[name] ?? undefined;
  if (value !== undefined && typeof value !== "function") throw invalidParameter(name, value, "a function");
  return value;
}
