import type { TemplateInput } from "../core/facts.js";
import { invalidParameter, notAvailable } from "../errors.js";
import type { ChatCompletions } from "../types.js";
import { Gathering } from "./gather.js";
import { answer, type Model, type Totals } from "./generation.js";
import { checkNames, flag, integer, readSampling } from "./parameters.js";
import { AnswerStream } from "./stream.js";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, ChatMessage, PromptTokens } from "./types.js";

const OWN = ["messages", "max_completion_tokens", "logprobs", "top_logprobs"];
const ROLES = ["system", "developer", "user", "assistant", "tool"];

/** `engine.chat.completions` over a model. */
export function chatCompletions(model: Model): ChatCompletions {
  async function create(request: ChatCompletionRequest): Promise<unknown> {
    checkNames(request, OWN);
    const sampling = readSampling(request, readReference);
    const prompt = { messages: readMessages(request.messages), add_generation_prompt: true };
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
          message: { role: "assistant", content: text },
          finish_reason: finish,
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
      return answer(model, prompt, sampling, logprobs, signal, {
        onPrompt(tokens) {
          if (sampling.tokenIds) prompted = { prompt_token_ids: tokens };
        },
        onPiece(index, piece) {
          const delta = { ...(begun.has(index) ? {} : { role: "assistant" as const }), content: piece.text };
          begun.add(index);
          const content = piece.logprobs && { content: piece.logprobs };
          const ids = sampling.tokenIds ? { token_ids: piece.ids } : {};
          const guessed = piece.guessed ? { guessed: true as const } : {};
          return push(chunk([{ index, delta, finish_reason: null, logprobs: content, ...ids, ...guessed }]));
        },
        async onEnd(index, finish, rest, totals) {
          const delta = begun.has(index) ? {} : { role: "assistant" as const, content: "" };
          const ids = sampling.tokenIds ? { token_ids: rest } : {};
          await push(chunk([{ index, delta, finish_reason: finish, logprobs: null, ...ids }], sampling.includeUsage ? undefined : totals));
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

/** An id in OpenAI's style. */
export function newId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function readMessage(message: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof message !== "object" || message === null) throw invalidParameter(place, message, "an object with role and content");
  const { role, content, ...rest } = message as Partial<ChatMessage> & Record<string, unknown>;
  if (typeof role !== "string" || !ROLES.includes(role)) throw invalidParameter(`${place}.role`, role, ROLES.join(", "));
  for (const name of ["tool_calls", "function_call", "audio"]) {
    if (rest[name] !== undefined && rest[name] !== null) throw notAvailable(`${place}.${name}`);
  }
  return { ...rest, role: role === "developer" ? "system" : role, content: readContent(content, `${place}.content`) };
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
