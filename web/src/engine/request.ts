import type { ChatMessage, Engine, SamplingRequest } from "goldcrest";
import type { Settings } from "../state/settings.js";
import type { Candidate } from "./stream.js";

/** The settings as parameters of a request. */
export function sampling(settings: Settings): SamplingRequest {
  return {
    max_tokens: settings.maxTokens,
    temperature: settings.temperature,
    top_k: settings.topK,
    top_p: settings.topP,
    min_p: settings.minP,
    repetition_penalty: settings.repetitionPenalty,
    ...(settings.seed === null ? {} : { seed: settings.seed }),
  };
}

/** A turn of the conversation. */
export interface Turn {
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** The conversation as the API takes it, with the system prompt in front. */
export function chatMessages(turns: readonly Turn[], settings: Settings): ChatMessage[] {
  const system = settings.systemPrompt.trim();
  return [
    ...(system ? [{ role: "system" as const, content: system }] : []),
    ...turns.map(({ role, text }) => ({ role, content: text })),
  ];
}

/** What the model reads before it answers `turns`: the rendered chat template, or for a base model the text so far. */
export async function rawPrompt(engine: Engine, turns: readonly Turn[], settings: Settings): Promise<string> {
  if (!engine.info.model.chatTemplate) return baseText(turns);
  return engine.applyChatTemplate(chatMessages(turns, settings));
}

/** The text that a base model goes on with. */
export function baseText(turns: readonly Turn[]): string {
  return turns.map(({ text }) => text).join("");
}

/**
 * The exact tokens that lead to a half-written answer. The tokens of the answer itself are taken as they were drawn where all are
 * known, as reading their text again may cut it differently.
 */
export async function promptTokens(
  engine: Engine,
  turns: readonly Turn[],
  settings: Settings,
  written: { readonly text: string; readonly tokens: readonly Candidate[] | null },
): Promise<number[]> {
  const prompt = await rawPrompt(engine, turns, settings);
  // A chat template writes the model's own special tokens; a plain text needs them added.
  const template = engine.info.model.chatTemplate;
  const how = { parseSpecial: template, addSpecial: !template };
  const ids = written.tokens?.map(({ id }) => id) ?? null;
  if (ids?.every((id) => id !== null)) return [...(await engine.tokenize(prompt, how)), ...ids];
  return engine.tokenize(prompt + written.text, how);
}
