import type { AnswerEvents, Totals } from "./generation.js";
import type { FinishReason, TokenLogprob } from "./types.js";

/** One answer, as it grows. */
export interface Gathered {
  text: string;
  finish: FinishReason;
  readonly logprobs: TokenLogprob[];
  readonly ids: number[];
}

/** Puts the answers of a request together. */
export class Gathering implements AnswerEvents {
  readonly answers: readonly Gathered[];
  prompt: readonly number[] = [];

  constructor(n: number, lead: string) {
    this.answers = Array.from({ length: n }, () => ({ text: lead, finish: "stop", logprobs: [], ids: [] }));
  }

  onPrompt(tokens: readonly number[]): void {
    this.prompt = tokens;
  }

  onPiece(...[index, { text, logprobs, ids }]: Parameters<AnswerEvents["onPiece"]>): void {
    const answer = this.answers[index];
    if (answer === undefined) return;
    answer.text += text;
    answer.logprobs.push(...(logprobs ?? []));
    answer.ids.push(...ids);
  }

  onEnd(index: number, finish: FinishReason, ids: readonly number[], _totals: Totals | undefined): void {
    const answer = this.answers[index];
    if (answer === undefined) return;
    answer.finish = finish;
    answer.ids.push(...ids);
  }
}
