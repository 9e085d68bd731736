import type { FormRequest, RecordRequest } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import { flag } from "./parameters.js";

/** What stands beside `record` in a request. */
interface Beside {
  readonly form: FormRequest | undefined;
  readonly n: number;
}

/** What whoever repeats an answer does not have: the caller's functions. */
const FUNCTIONS = ["scorer", "remote", "constraint"];

/** Reads `record`; `undefined` if none is wanted. */
export function readRecord(fields: Readonly<Record<string, unknown>>, { form, n }: Beside): RecordRequest | undefined {
  if (flag(fields, "record") !== true) return undefined;
  const hindrance = FUNCTIONS.find((name) => (fields[name] ?? undefined) !== undefined);
  if (hindrance !== undefined) throw invalidParameter("record", true, `false beside ${hindrance}: a record cannot hold what a function says`);
  if (n !== 1) throw invalidParameter("record", true, "false for several answers (n)");
  return recordOf(form);
}

/** A record of an answer in this form. */
export function recordOf(form: FormRequest | undefined): RecordRequest {
  return form === undefined ? {} : { form: recorded(form) };
}

function recorded(form: FormRequest): NonNullable<RecordRequest["form"]> {
  // The command has no options for these: it reads them as they are asked for here.
  const asked = { kind: "asked", text: JSON.stringify(form) } as const;
  if ("layout" in form && form.layout === "compact") return asked;
  switch (form.type) {
    case "json_schema":
      return { kind: "json_schema", text: JSON.stringify(form.schema) };
    case "json_object":
      return { kind: "json_object", text: "" };
    case "regex":
      return { kind: "regex", text: form.pattern };
    case "grammar":
      return form.syntax === undefined ? { kind: "grammar", text: form.text } : asked;
    case "tools":
      return asked;
  }
}
