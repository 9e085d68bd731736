/** A JSON value, or what is known of one that is still being written. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The value that the beginning of a JSON text stands for, for answers that are shown while they are written: strings as far as
 * they go, lists and objects with the members that have begun, numbers once they are more than a sign. `undefined` while nothing
 * is known.
 *
 * @throws SyntaxError for text that no JSON begins with.
 */
export function partialJson(text: string): JsonValue | undefined {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** The text ended within a value. */
const CUT = Symbol("cut");

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next value; `undefined` if the text ends before anything is known of it. */
  value(): JsonValue | undefined {
    this.#space();
    const first = this.#text[this.#at];
    if (first === undefined) return undefined;
    if (first === "{") return this.#object();
    if (first === "[") return this.#list();
    if (first === "\"") return this.#string().text;
    for (const [word, value] of [["true", true], ["false", false], ["null", null]] as const) {
      if (first === word[0]) return this.#word(word) === CUT ? undefined : value;
    }
    return this.#number();
  }

  /** Nothing but spaces may follow. */
  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#fail();
  }

  #object(): JsonValue {
    const entries: [string, JsonValue][] = [];
    this.#at += 1;
    for (let first = true; ; first = false) {
      if (this.#ends("}", first)) return Object.fromEntries(entries);
      if (this.#text[this.#at] !== "\"") this.#fail();
      const key = this.#string();
      this.#space();
      if (!key.complete || this.#at >= this.#text.length) return Object.fromEntries(entries);
      this.#expect(":");
      const value = this.value();
      if (value === undefined) return Object.fromEntries(entries);
      entries.push([key.text, value]);
    }
  }

  #list(): JsonValue {
    const items: JsonValue[] = [];
    this.#at += 1;
    for (let first = true; ; first = false) {
      if (this.#ends("]", first)) return items;
      const value = this.value();
      if (value === undefined) return items;
      items.push(value);
    }
  }

  /** Passes over what stands between members. True where the list, or the text, ends. */
  #ends(bracket: string, first: boolean): boolean {
    this.#space();
    if (this.#at >= this.#text.length) return true;
    if (this.#text[this.#at] === bracket) {
      this.#at += 1;
      return true;
    }
    if (first) return false;
    this.#expect(",");
    this.#space();
    return this.#at >= this.#text.length;
  }

  #string(): { readonly text: string; readonly complete: boolean } {
    const start = this.#at;
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === "\\") this.#at += 1;
      else if (character === "\"") {
        this.#at += 1;
        return { text: this.#decode(this.#text.slice(start, this.#at)), complete: true };
      }
    }
    // An escape that is not complete, or half of a character, is left for later.
    const begun = this.#text.slice(start).replace(/\\(?:u[0-9a-fA-F]{0,3})?$/u, "").replace(/\\u[dD][89abAB][0-9a-fA-F]{2}$/u, "");
    this.#at = this.#text.length;
    const even = /(?:^|[^\\])(?:\\\\)*\\$/.test(begun) ? begun.slice(0, -1) : begun;
    return { text: this.#decode(`${even}"`), complete: false };
  }

  #decode(quoted: string): string {
    return JSON.parse(quoted) as string;
  }

  #word(word: string): typeof CUT | undefined {
    const found = this.#text.slice(this.#at, this.#at + word.length);
    if (!word.startsWith(found)) this.#fail();
    this.#at += found.length;
    return found === word ? undefined : CUT;
  }

  #number(): number | undefined {
    const [found] = /^-?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d*)?)?/.exec(this.#text.slice(this.#at)) ?? [""];
    if (found === "") this.#fail();
    this.#at += found.length;
    // What may still grow counts as far as it is a number.
    const [known] = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(found) ?? [""];
    return known === "" ? undefined : Number(known);
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail();
    this.#at += 1;
  }

  #fail(): never {
    throw new SyntaxError(`no JSON begins like this: unexpected ${JSON.stringify(this.#text[this.#at] ?? "end")} at ${this.#at}`);
  }
}
