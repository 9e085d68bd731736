import type { ChatCompletionChunk, CompletionChunk, CompletionStream } from "goldcrest";
import { batch } from "@preact/signals";
import { problem } from "../engine/problem.js";
import { chatPiece, completionPiece, type Piece, type Token } from "../engine/stream.js";
import type { Message } from "./message.js";

/** An answer as a stream of pieces, whichever call makes it. */
export type Pieces = AsyncIterable<Piece>;

/** The pieces of a chat. */
export async function* chatPieces(stream: Promise<CompletionStream<ChatCompletionChunk>>): Pieces {
  for await (const chunk of await stream) yield chatPiece(chunk);
}

/** The pieces of a completion. */
export async function* completionPieces(stream: Promise<CompletionStream<CompletionChunk>>): Pieces {
  for await (const chunk of await stream) yield completionPiece(chunk);
}

/** Writes an answer into a message, once per frame of the screen, until it ends, is stopped or fails. */
export async function write(into: Message, pieces: Pieces): Promise<void> {
  const begun = performance.now();
  let first: number | null = null;
  let count = 0;
  let text = "";
  let tokens: Token[] = [];
  const before = into.tokens.value.length;

  const flush = (): void => {
    if (text === "" && tokens.length === 0) return;
    batch(() => {
      into.text.value += text;
      if (tokens.length > 0) into.tokens.value = [...into.tokens.value, ...tokens];
      const seconds = first === null ? 0 : (performance.now() - first) / 1000;
      into.stats.value = {
        ttftMs: first === null ? null : first - begun,
        tokensPerSecond: seconds > 0.25 ? (count - 1) / seconds : null,
        tokens: before + count,
        promptTokens: null,
        reusedTokens: null,
        final: false,
      };
    });
    text = "";
    tokens = [];
  };
  const frames = everyFrame(flush);

  batch(() => {
    into.state.value = "writing";
    into.problem.value = null;
    into.stats.value = null;
  });
  try {
    for await (const piece of pieces) {
      if (first === null && (piece.text !== "" || piece.tokens.length > 0)) first = performance.now();
      text += piece.text;
      tokens.push(...piece.tokens);
      count += piece.tokens.length || (piece.text === "" ? 0 : 1);
      if (piece.finish) into.state.value = piece.finish === "length" ? "length" : "done";
      if (piece.timings) {
        flush();
        const { ttft_ms, tokens_per_second, prefill_tokens, reused_tokens } = piece.timings;
        into.stats.value = {
          ttftMs: ttft_ms,
          tokensPerSecond: tokens_per_second,
          tokens: before + (piece.usage?.completion_tokens ?? count),
          promptTokens: piece.usage?.prompt_tokens ?? prefill_tokens + reused_tokens,
          reusedTokens: reused_tokens,
          final: true,
        };
      }
    }
  } catch (thrown) {
    const card = problem(thrown);
    into.state.value = card ? "failed" : "stopped";
    into.problem.value = card;
  } finally {
    frames.stop();
    flush();
    // A stream that ends without a word of why has ended.
    if (into.state.value === "writing") into.state.value = "done";
  }
}

/** Calls `act` once per frame; in a hidden tab, which has no frames, a few times a second. */
function everyFrame(act: () => void): { stop(): void } {
  let running = true;
  const next = (): void => {
    if (!running) return;
    act();
    if (document.hidden) setTimeout(next, 200);
    else requestAnimationFrame(next);
  };
  next();
  return { stop: () => (running = false) };
}
