import type { FormRequest, RecordRequest } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import { flag } from "./parameters.js";

/** What stands beside `record` in a request. */
interface Beside {
  readonly form: FormRequest | undefined;
  readonly n: number;
}

/** What cannot be repeated from a record alone. */
const AGAINST = ["speculate", "scorer", "remote", "constraint", "tools"];

/** Reads `record`; `undefined` if none is wanted. */
export function readRecord(fields: Readonly<Record<string, unknown>>, { form, n }: Beside): RecordRequest | undefined {
  if (flag(fields, "record") !== true) return undefined;
  const hindrance = AGAINST.find((name) => (fields[name] ?? undefined) !== undefined);
  if (hindrance !== undefined) throw invalidParameter("record", true, `false beside ${hindrance}`);
  if (n !== 1) throw invalidParameter("record", true, "false for several answers (n)");
  return form === undefined ? {} : { form: recorded(form) };
}

function recorded(form: FormRequest): NonNullable<RecordRequest["form"]> {
  if ("layout" in form && form.layout === "compact") throw invalidParameter("record", true, "false beside the layout compact");
  switch (form.type) {
    case "json_schema":
      return { kind: "json_schema", text: JSON.stringify(form.schema) };
    case "json_object":
      return { kind: "json_object", text: "" };
    case "regex":
      return { kind: "regex", text: form.pattern };
    case "grammar":
      return { kind: "grammar", text: form.text };
    case "tools":
      throw invalidParameter("record", true, "false beside tools");
  }
}
