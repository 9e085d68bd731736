import type { FormRequest, ToolFormat } from "../core/facts.js";
import { invalidParameter, notAvailable } from "../errors.js";
import { flag } from "./parameters.js";

/** What a request says of tools. */
export interface ToolUse {
  /** Given to the chat template. */
  readonly tools: readonly unknown[];
  readonly form: FormRequest;
  readonly format: ToolFormat;
}

/** Checks `tools`, `tool_choice` and `parallel_tool_calls`; `undefined` where no tool may be called. */
export function readTools(fields: Readonly<Record<string, unknown>>, format: ToolFormat | null): ToolUse | undefined {
  const { tools, tool_choice: choice } = fields;
  const parallel = flag(fields, "parallel_tool_calls") ?? true;
  if (tools === undefined || tools === null || (Array.isArray(tools) && tools.length === 0)) {
    if (choice === undefined || choice === null || choice === "none" || choice === "auto") return undefined;
    throw invalidParameter("tool_choice", choice, "none without tools");
  }
  const allowed = "a list of { type: \"function\", function: { name, parameters } }";
  if (!Array.isArray(tools) || !tools.every(isTool)) throw invalidParameter("tools", tools, allowed);
  if (choice === "none") return undefined;
  if (format === null) throw notAvailable("tools", "cannot be used: the chat template of this model takes none");
  const chosen = readChoice(choice, tools.map(({ function: { name } }) => name));
  return { tools, format, form: { type: "tools", tools, format, choice: chosen, parallel } };
}

/** A message as chat templates expect it: arguments as values, not as text. */
export function readToolCalls(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidParameter(place, value, "a list of tool calls");
  return value.map((call: unknown, at) => {
    const { function: called, ...rest } = (call ?? {}) as { function?: { name?: unknown; arguments?: unknown } };
    if (typeof called?.name !== "string") throw invalidParameter(`${place}[${at}]`, call, "{ id, type: \"function\", function: { name, arguments } }");
    return { ...rest, function: { ...called, arguments: parsed(called.arguments) } };
  });
}

interface Tool {
  readonly function: { readonly name: string };
}

function isTool(tool: unknown): tool is Tool {
  const { type, function: called } = (tool ?? {}) as { type?: unknown; function?: { name?: unknown } };
  return type === "function" && typeof called?.name === "string" && called.name !== "";
}

function readChoice(choice: unknown, names: readonly string[]): "auto" | "required" | { readonly name: string } {
  if (choice === undefined || choice === null || choice === "auto") return "auto";
  if (choice === "required") return "required";
  const name = (choice as { function?: { name?: unknown } }).function?.name;
  if (typeof name === "string" && names.includes(name)) return { name };
  throw invalidParameter("tool_choice", choice, `none, auto, required or { type: "function", function: { name } } with one of ${names.join(", ")}`);
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
