import { computed, effect, signal } from "@preact/signals";
import type { CompletionRequest, Engine } from "goldcrest";
import { baseText, chatMessages, promptTokens, sampling, type Turn } from "../engine/request.js";
import type { Candidate } from "../engine/stream.js";
import { chatPieces, completionPieces, write, type Pieces } from "./generation.js";
import { message, tokensComplete, type Message } from "./message.js";
import { engine } from "./model.js";
import { persisted } from "./persisted.js";
import { settings } from "./settings.js";

const saved = persisted<readonly Turn[]>("conversation", [], readTurns);

/** The conversation, oldest first. */
export const messages = signal<readonly Message[]>(saved.value.map(({ role, text }) => message(role, text)));

/** Whether an answer is being written. */
export const writing = computed(() => messages.value.some(({ state }) => state.value === "writing"));

effect(() => {
  // Written when an answer ends, not with every token of it.
  if (!writing.value) saved.value = turns(messages.value);
});

let running: AbortController | null = null;

/** Asks, and lets the model answer. */
export function send(text: string): void {
  if (writing.value || text.trim() === "" || !engine()) return;
  messages.value = [...messages.value, message("user", text)];
  answer();
}

/** Ends the answer that is being written; what is there stays. */
export function stop(): void {
  running?.abort();
}

/** Throws an answer and all after it away, and asks again. */
export function regenerate(which: Message): void {
  if (writing.value) return;
  messages.value = before(which);
  answer();
}

/** Replaces a message of the user's, drops what followed, and asks again. */
export function edit(which: Message, text: string): void {
  if (writing.value || text.trim() === "") return;
  messages.value = [...before(which), message("user", text)];
  answer();
}

/** Goes on with an answer that was stopped, broken off or at its longest. */
export async function resume(which: Message): Promise<void> {
  const known = tokensComplete(which) ? which.tokens.value : null;
  await goOn(which, { text: which.text.value, tokens: known });
}

/** Goes back to one place of an answer, takes another token there, and lets the model go on from it. */
export async function branch(which: Message, at: number, instead: Candidate): Promise<void> {
  if (writing.value) return;
  const kept = which.tokens.value.slice(0, at);
  const token = { ...instead, others: which.tokens.value[at]?.others ?? [] };
  which.tokens.value = [...kept, token];
  which.text.value = which.tokens.value.map(({ text }) => text).join("");
  messages.value = [...before(which), which];
  await goOn(which, { text: which.text.value, tokens: which.tokens.value });
}

/** Begins anew. */
export function clear(): void {
  stop();
  messages.value = [];
}

/** What was said before a message. */
export function turnsBefore(which: Message): Turn[] {
  return turns(before(which));
}

/** The whole conversation as turns. */
export function turns(of: readonly Message[]): Turn[] {
  return of.map(({ role, text }) => ({ role, text: text.value }));
}

function before(which: Message): readonly Message[] {
  return messages.value.slice(0, messages.value.indexOf(which));
}

function answer(): void {
  const now = engine();
  if (!now) return;
  const asked = turns(messages.value);
  const into = message("assistant", "", "writing");
  messages.value = [...messages.value, into];
  void run(into, (signal) => ask(now, asked, signal));
}

async function goOn(which: Message, written: { text: string; tokens: readonly Candidate[] | null }): Promise<void> {
  const now = engine();
  if (writing.value || !now) return;
  const asked = turnsBefore(which);
  await run(which, (signal) => continuation(now, asked, written, signal));
}

async function run(into: Message, pieces: (signal: AbortSignal) => Pieces): Promise<void> {
  running = new AbortController();
  await write(into, pieces(running.signal));
}

function ask(now: Engine, asked: readonly Turn[], signal: AbortSignal): Pieces {
  const { alternatives } = settings.value;
  const request = { ...sampling(settings.value), signal, stream: true as const };
  if (!now.info.model.chatTemplate) {
    return completionPieces(now.completions.create({ ...request, ...logprobs(alternatives), prompt: baseText(asked) }));
  }
  const wanted = alternatives > 0 ? { logprobs: true, top_logprobs: alternatives } : {};
  return chatPieces(now.chat.completions.create({ ...request, ...wanted, messages: chatMessages(asked, settings.value) }));
}

async function* continuation(
  now: Engine,
  asked: readonly Turn[],
  written: { text: string; tokens: readonly Candidate[] | null },
  signal: AbortSignal,
): Pieces {
  const prompt = await promptTokens(now, asked, settings.value, written);
  const request = { ...sampling(settings.value), signal, stream: true as const, prompt };
  yield* completionPieces(now.completions.create({ ...request, ...logprobs(settings.value.alternatives) }));
}

function logprobs(alternatives: number): Pick<CompletionRequest, "logprobs" | "return_token_ids"> {
  return alternatives > 0 ? { logprobs: alternatives, return_token_ids: true } : {};
}

function readTurns(stored: unknown): Turn[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  return stored.filter(
    (turn): turn is Turn =>
      typeof turn === "object" && turn !== null && ["user", "assistant"].includes(turn.role) && typeof turn.text === "string",
  );
}
