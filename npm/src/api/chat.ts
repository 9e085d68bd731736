import type { TemplateInput } from "../core/facts.js";
import { invalidParameter, notAvailable } from "../errors.js";
import type { ChatCompletions } from "../types.js";
import { CallReader } from "./calls.js";
import { Gathering } from "./gather.js";
import { answer, type Model, type Totals } from "./generation.js";
import { newId } from "./ids.js";
import { checkNames, flag, integer, readSampling, type Sampling } from "./parameters.js";
import { AnswerStream } from "./stream.js";
import { recordOf } from "./record.js";
import { readToolCalls, readTools, type ToolUse } from "./tools.js";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, ChatMessage, FinishReason, PromptTokens, ToolCall, ToolCallDelta } from "./types.js";

const OWN = ["messages", "max_completion_tokens", "logprobs", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls"];
const ROLES = ["system", "developer", "user", "assistant", "tool"];

/** `engine.chat.completions` over a model. */
export function chatCompletions(model: Model): ChatCompletions {
  async function create(request: ChatCompletionRequest): Promise<unknown> {
    checkNames(request, OWN);
    const use = readTools(request as unknown as Readonly<Record<string, unknown>>, model.toolFormat());
    const sampling = withTools(readSampling(request, readReference), use);
    const tools = use === undefined ? {} : { tools: use.tools };
    const prompt = { messages: readMessages(request.messages), ...tools, add_generation_prompt: true };
    const logprobs = readLogprobs(request);
    const frame = { id: newId("chatcmpl"), created: Math.floor(Date.now() / 1000), model: request.model ?? model.name() };
    if (!sampling.stream) {
      const gathering = new Gathering(sampling.n, "");
      const totals = await answer(model, prompt, sampling, logprobs, sampling.signal, gathering);
      return {
        ...frame,
        object: "chat.completion",
        ...(sampling.tokenIds ? { prompt_token_ids: gathering.prompt } : {}),
        choices: gathering.answers.map(({ text, finish, ids, ...gathered }, index) => ({
          index,
          ...said(text, finish, use),
          logprobs: logprobs === undefined ? null : { content: gathered.logprobs },
          ...(sampling.tokenIds ? { token_ids: ids } : {}),
        })),
        ...totals,
      } satisfies ChatCompletion;
    }
    return new AnswerStream<ChatCompletionChunk>((push, signal) => {
      let prompted: PromptTokens = {};
      const chunk = (choices: ChatCompletionChunk["choices"], totals?: Totals): ChatCompletionChunk => {
        const made = { ...frame, object: "chat.completion.chunk" as const, ...prompted, choices };
        prompted = {};
        return { ...made, ...(totals ?? (sampling.includeUsage ? { usage: null } : {})) };
      };
      const begun = new Set<number>();
      const readers = new Map<number, CallReader>();
      const reader = (index: number): CallReader | undefined => {
        if (use !== undefined && !readers.has(index)) readers.set(index, new CallReader(use.format));
        return readers.get(index);
      };
      return answer(model, prompt, sampling, logprobs, signal, {
        onPrompt(tokens) {
          if (sampling.tokenIds) prompted = { prompt_token_ids: tokens };
        },
        onPiece(index, piece) {
          const { content: text, calls } = reader(index)?.push(piece.text) ?? { content: piece.text, calls: [] };
          if (text === "" && calls.length === 0 && piece.text !== "" && piece.logprobs === null && piece.ids.length === 0) return undefined;
          const delta = { ...(begun.has(index) ? {} : { role: "assistant" as const }), content: text, ...listed(calls) };
          begun.add(index);
          const content = piece.logprobs && { content: piece.logprobs };
          const ids = sampling.tokenIds ? { token_ids: piece.ids } : {};
          const guessed = piece.guessed ? { guessed: true as const } : {};
          return push(chunk([{ index, delta, finish_reason: null, logprobs: content, ...ids, ...guessed }]));
        },
        async onEnd(index, finish, rest, totals) {
          const { content: text, calls } = reader(index)?.finish() ?? { content: "", calls: [] };
          const left = text === "" ? {} : { content: text };
          const delta = begun.has(index) ? { ...left, ...listed(calls) } : { role: "assistant" as const, content: text, ...listed(calls) };
          const ids = sampling.tokenIds ? { token_ids: rest } : {};
          const reason = ended(finish, reader(index));
          await push(chunk([{ index, delta, finish_reason: reason, logprobs: null, ...ids }], sampling.includeUsage ? undefined : totals));
          if (sampling.includeUsage && totals !== undefined) await push(chunk([], totals));
        },
      });
    }, sampling.signal);
  }
  // The overloads say what comes back for which request; one body serves them all.
  return { create: create as ChatCompletions["create"] };
}

/** A conversation to contrast with; a text is one message of the user. */
function readReference(reference: unknown): TemplateInput {
  const messages = typeof reference === "string" ? [{ role: "user", content: reference }] : reference;
  return { messages: readMessages(messages), add_generation_prompt: true };
}

/** Checks a conversation, and writes it as chat templates expect it. */
export function readMessages(messages: unknown): TemplateInput["messages"] {
  if (!Array.isArray(messages) || messages.length === 0) throw invalidParameter("messages", messages, "a list of at least one message");
  return messages.map((message: unknown, at) => readMessage(message, `messages[${at}]`));
}

/** What a whole answer says and calls. */
function said(text: string, finish: FinishReason, use: ToolUse | undefined): Pick<ChatCompletion["choices"][number], "message" | "finish_reason"> {
  if (use === undefined) return { message: { role: "assistant", content: text }, finish_reason: finish };
  const reader = new CallReader(use.format);
  const read = [reader.push(text), reader.finish()];
  const calls: { -readonly [Key in keyof ToolCall]: ToolCall[Key] }[] = [];
  for (const { index, id, function: { name, arguments: text = "" } } of read.flatMap(({ calls: deltas }) => deltas)) {
    const call = calls[index];
    if (call === undefined) calls.push({ id: id ?? "", type: "function", function: { name: name ?? "", arguments: text } });
    else call.function = { name: call.function.name, arguments: call.function.arguments + text };
  }
  const content = read.map((part) => part.content).join("");
  const called = calls.length === 0 ? {} : { tool_calls: calls };
  return { message: { role: "assistant", content, ...called }, finish_reason: ended(finish, reader) };
}

function ended(finish: FinishReason, reader: CallReader | undefined): FinishReason {
  return finish === "stop" && reader?.called === true ? "tool_calls" : finish;
}

function listed(calls: readonly ToolCallDelta[]): { readonly tool_calls?: readonly ToolCallDelta[] } {
  return calls.length === 0 ? {} : { tool_calls: calls };
}

function withTools(sampling: Sampling, use: ToolUse | undefined): Sampling {
  if (use === undefined) return sampling;
  if (sampling.request.form !== undefined || sampling.monitor !== undefined) {
    throw invalidParameter("tools", "tools", "none beside response_format or constraint");
  }
  const record = sampling.request.record === undefined ? {} : { record: recordOf(use.form) };
  return { ...sampling, request: { ...sampling.request, form: use.form, ...record } };
}

function readMessage(message: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof message !== "object" || message === null) throw invalidParameter(place, message, "an object with role and content");
  const { role, content, ...rest } = message as Partial<ChatMessage> & Record<string, unknown>;
  if (typeof role !== "string" || !ROLES.includes(role)) throw invalidParameter(`${place}.role`, role, ROLES.join(", "));
  for (const name of ["function_call", "audio"]) {
    if (rest[name] !== undefined && rest[name] !== null) throw notAvailable(`${place}.${name}`);
  }
  const { tool_calls: calls, ...passed } = rest;
  const called = calls === undefined || calls === null ? {} : { tool_calls: readToolCalls(calls, `${place}.tool_calls`) };
  // OpenAI leaves the content of a message out that only calls tools.
  const said = (content === undefined || content === null) && "tool_calls" in called ? "" : readContent(content, `${place}.content`);
  return { ...passed, ...called, role: role === "developer" ? "system" : role, content: said };
}

function readContent(content: unknown, place: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw invalidParameter(place, content, "a string or a list of text parts");
  return content
    .map((part: unknown, at) => {
      const { type, text } = (typeof part === "object" && part !== null ? part : {}) as { type?: unknown; text?: unknown };
      if (type === "text" && typeof text === "string") return text;
      if (typeof type === "string" && type !== "text") throw notAvailable(`${place}[${at}] of type ${type}`);
      throw invalidParameter(`${place}[${at}]`, part, "{ type: \"text\", text }");
    })
    .join("");
}

function readLogprobs(request: ChatCompletionRequest): number | undefined {
  const fields = request as unknown as Readonly<Record<string, unknown>>;
  const wanted = flag(fields, "logprobs") ?? false;
  const top = integer(fields, "top_logprobs", 0, 256);
  if (top !== undefined && !wanted) throw invalidParameter("top_logprobs", top, "none, unless logprobs is true");
  return wanted ? (top ?? 0) : undefined;
}
