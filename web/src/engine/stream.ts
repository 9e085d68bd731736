import type { ChatCompletionChunk, CompletionChunk, FinishReason, Timings, TopLogprob, Usage } from "goldcrest";

/** A token that might have stood at a place. `id` is missing where the API does not tell it. */
export interface Candidate {
  readonly id: number | null;
  readonly text: string;
  readonly logprob: number;
}

/** A token of an answer, with what might have stood there instead. */
export interface Token extends Candidate {
  readonly others: readonly Candidate[];
}

/** What both kinds of chunks say. */
export interface Piece {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly finish: FinishReason | null;
  readonly timings: Timings | undefined;
  readonly usage: Usage | undefined;
}

/** A chunk of a chat as a piece. */
export function chatPiece(chunk: ChatCompletionChunk): Piece {
  const choice = chunk.choices[0];
  return {
    text: choice?.delta.content ?? "",
    tokens: (choice?.logprobs?.content ?? []).map((token) => ({ ...candidate(token), others: token.top_logprobs.map(candidate) })),
    finish: choice?.finish_reason ?? null,
    timings: chunk.timings,
    usage: chunk.usage ?? undefined,
  };
}

/** A chunk of a plain completion as a piece. */
export function completionPiece(chunk: CompletionChunk): Piece {
  const choice = chunk.choices[0];
  const { tokens = [], token_logprobs: own = [], top_logprobs: tops = [] } = choice?.logprobs ?? {};
  const ids = choice?.token_ids ?? [];
  return {
    text: choice?.text ?? "",
    tokens: tokens.map((text, at) => ({
      id: ids[at] ?? null,
      text,
      logprob: own[at] ?? 0,
      others: Object.entries(tops[at] ?? {})
        .map(([other, logprob]) => ({ id: null, text: other, logprob }))
        .sort((a, b) => b.logprob - a.logprob),
    })),
    finish: choice?.finish_reason ?? null,
    timings: chunk.timings,
    usage: chunk.usage ?? undefined,
  };
}

function candidate(from: TopLogprob): Candidate {
  return { id: from.id, text: from.token, logprob: from.logprob };
}
