import type { ToolFormat } from "../core/facts.js";
import { newId } from "./ids.js";
import type { ToolCallDelta } from "./types.js";

/** What a piece of text came to. */
export interface Read {
  /** Text that belongs to no call. */
  readonly content: string;
  readonly calls: readonly ToolCallDelta[];
}

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const PYTHON_TAG = "<|python_tag|>";
/** A call whose arguments can be passed on while they are written. */
const HEAD = /^\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)/;

/**
 * Parts the text of an answer into content and calls as it comes. Arguments are passed on while they are written; what turns out
 * to be no call is content.
 */
export class CallReader {
  readonly #format: ToolFormat;
  #state: "begin" | "text" | "call" | "close";
  /** Text whose meaning is open. */
  #open = "";
  #content = "";
  #deltas: ToolCallDelta[] = [];
  #count = 0;
  #call = new JsonObject();
  /** Characters of the call's arguments that were passed on, from the start of the object; none before its head is complete. */
  #passed: number | undefined;
  /** Where the arguments begin. */
  #start = 0;
  /** Whether nothing but spaces came since a call. */
  #behind = false;

  constructor(format: ToolFormat) {
    this.#format = format;
    this.#state = format === "hermes" ? "text" : "begin";
  }

  /** Whether a call was found. */
  get called(): boolean {
    return this.#count > 0;
  }

  /** Reads on. */
  push(text: string): Read {
    this.#open += text;
    while (this.#step());
    return this.#take();
  }

  /** What was held back, once nothing follows. */
  finish(): Read {
    if (this.#state === "call" && this.#passed === undefined) this.#content += this.#mark() + this.#call.text;
    if (this.#state !== "close") this.#content += this.#open;
    this.#open = "";
    return this.#take();
  }

  #take(): Read {
    const read = { content: this.#content, calls: this.#deltas };
    this.#content = "";
    this.#deltas = [];
    return read;
  }

  /** One step; false when more text is needed. */
  #step(): boolean {
    switch (this.#state) {
      case "begin":
        return this.#begin();
      case "text":
        return this.#text();
      case "call":
        return this.#inCall();
      case "close":
        return this.#close();
    }
  }

  /** Models of these formats answer with a call or with text, not with both. */
  #begin(): boolean {
    const rest = this.#open.trimStart();
    if (rest === "" || (PYTHON_TAG.startsWith(rest) && rest !== PYTHON_TAG)) return false;
    const body = rest.startsWith(PYTHON_TAG) ? rest.slice(PYTHON_TAG.length) : rest;
    if (body === "") return false;
    if (body.startsWith("{")) return this.#enter(body);
    this.#state = "text";
    return true;
  }

  #text(): boolean {
    if (this.#format !== "hermes") return this.#emit(this.#open.length);
    const at = this.#open.indexOf(OPEN);
    if (at < 0) return this.#emit(this.#open.length - overlap(this.#open, OPEN));
    this.#emit(at);
    return this.#enter(this.#open.slice(OPEN.length));
  }

  #emit(length: number): false {
    const text = this.#open.slice(0, length);
    // Spaces behind a call are no answer.
    const said = this.#behind ? text.trimStart() : text;
    if (said !== "") this.#behind = false;
    this.#content += said;
    this.#open = this.#open.slice(length);
    return false;
  }

  #enter(rest: string): boolean {
    this.#open = rest;
    this.#state = "call";
    this.#call = new JsonObject();
    this.#passed = undefined;
    return true;
  }

  #inCall(): boolean {
    if (this.#call.text === "") {
      const rest = this.#open.trimStart();
      if (rest === "") return false;
      if (!rest.startsWith("{")) return this.#noCall();
      this.#open = rest;
    }
    this.#open = this.#call.push(this.#open);
    this.#passOn();
    if (!this.#call.complete) return false;
    if (this.#passed === undefined && !this.#whole()) return this.#noCall();
    this.#state = this.#format === "hermes" ? "close" : "text";
    return true;
  }

  #noCall(): boolean {
    this.#content += this.#mark() + this.#call.text;
    this.#state = "text";
    return true;
  }

  #mark(): string {
    return this.#format === "hermes" ? OPEN : "";
  }

  /** Passes on what is new of the arguments. */
  #passOn(): void {
    const { text, innerEnd } = this.#call;
    if (this.#passed === undefined) {
      const head = HEAD.exec(text);
      if (head === null) return;
      this.#begun(JSON.parse(head[1] ?? "\"\"") as string);
      this.#start = head[0].length;
      this.#passed = this.#start;
    }
    const end = innerEnd(this.#start);
    if (end <= this.#passed) return;
    this.#deltas.push({ index: this.#count - 1, function: { arguments: text.slice(this.#passed, end) } });
    this.#passed = end;
  }

  /** A call whose keys come in another order, once it is complete. */
  #whole(): boolean {
    try {
      const { name, ...rest } = JSON.parse(this.#call.text) as { name?: unknown; arguments?: unknown; parameters?: unknown };
      const given = rest.arguments ?? rest.parameters ?? {};
      if (typeof name !== "string") return false;
      this.#begun(name);
      const text = typeof given === "string" ? given : JSON.stringify(given);
      this.#deltas.push({ index: this.#count - 1, function: { arguments: text } });
      return true;
    } catch {
      return false;
    }
  }

  #begun(name: string): void {
    this.#deltas.push({ index: this.#count, id: newId("call"), type: "function", function: { name, arguments: "" } });
    this.#count += 1;
  }

  #close(): boolean {
    const rest = this.#open.trimStart();
    if (CLOSE.startsWith(rest) && rest !== CLOSE) return false;
    this.#open = rest.startsWith(CLOSE) ? rest.slice(CLOSE.length) : rest;
    this.#behind = true;
    this.#state = "text";
    return this.#open !== "";
  }
}

/** The text of a JSON object as it comes. */
class JsonObject {
  text = "";
  complete = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Where the values directly inside the object end. */
  readonly #ends: number[] = [];

  /** Takes what belongs to the object, and returns the rest. */
  push(text: string): string {
    for (let at = 0; at < text.length; at += 1) {
      if (this.complete) return text.slice(at);
      this.#take(text[at] ?? "");
    }
    return "";
  }

  /** Where the value that begins at `from` ends, as far as it is known. */
  readonly innerEnd = (from: number): number => this.#ends.find((end) => end > from) ?? this.text.length;

  #take(character: string): void {
    this.text += character;
    if (this.#escaped) this.#escaped = false;
    else if (this.#inString) {
      if (character === "\\") this.#escaped = true;
      else if (character === "\"") this.#inString = false;
    } else if (character === "\"") this.#inString = true;
    else if (character === "{" || character === "[") this.#depth += 1;
    else if (character === "}" || character === "]") {
      this.#depth -= 1;
      if (this.#depth === 1) this.#ends.push(this.text.length);
      this.complete = this.#depth === 0;
    }
  }
}

/** Length of the longest end of `text` that `mark` begins with. */
function overlap(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length -= 1) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
