import type { FormRequest } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import type { JsonLayout, Monitor, ResponseFormat } from "./types.js";

const TYPES = "an object with the type text, json_object, json_schema, regex or grammar";

/** The form that `response_format` asks for; `undefined` for plain text. */
export function readResponseFormat(value: unknown): FormRequest | undefined {
  if (value === undefined || value === null) return undefined;
  const format = value as Partial<Record<string, unknown>> & { readonly type?: ResponseFormat["type"] };
  const layout = format["layout"];
  if (layout !== undefined && layout !== "spaced" && layout !== "compact") {
    throw invalidParameter("response_format.layout", layout, "spaced or compact");
  }
  const written: { layout?: JsonLayout } = layout === undefined ? {} : { layout };
  switch (typeof value === "object" ? format.type : undefined) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object", ...written };
    case "json_schema":
      return { type: "json_schema", schema: readSchema(format["json_schema"]), ...written };
    case "regex":
      return { type: "regex", pattern: readPattern(format["pattern"]) };
    case "grammar":
      return { type: "grammar", text: readText("response_format.grammar", format["grammar"]), ...readSyntax(format["syntax"]) };
    default:
      throw invalidParameter("response_format", value, TYPES);
  }
}

/** Asks a monitor, and checks what it says. */
export async function readWords(monitor: Monitor | undefined, text: string, tokens: readonly number[]): Promise<readonly string[] | null> {
  const words: unknown = (await monitor?.(text, tokens)) ?? null;
  if (words === null || (Array.isArray(words) && words.every((word) => typeof word === "string"))) return words as readonly string[] | null;
  throw invalidParameter("constraint", words, "a function that gives a list of strings, or null");
}

/** OpenAI puts the schema into an object of its own, with a name. */
function readSchema(value: unknown): unknown {
  const schema: unknown = (value as { schema?: unknown } | undefined)?.schema;
  if ((typeof schema === "object" && schema !== null) || typeof schema === "boolean") return schema;
  throw invalidParameter("response_format.json_schema", value, "an object with a schema");
}

function readPattern(value: unknown): string {
  if (value instanceof RegExp) {
    if (value.flags !== "" && value.flags !== "u") throw invalidParameter("response_format.pattern", String(value), "an expression without flags");
    return value.source;
  }
  return readText("response_format.pattern", value);
}

function readSyntax(value: unknown): { readonly syntax?: "lark" | "gbnf" } {
  if (value === undefined) return {};
  if (value === "lark" || value === "gbnf") return { syntax: value };
  throw invalidParameter("response_format.syntax", value, "lark or gbnf");
}

function readText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw invalidParameter(name, value, "a string");
}
