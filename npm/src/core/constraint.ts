import type { FormRequest } from "./facts.js";
import type { WasmCompiler, WasmConstraint, WasmEngine, WasmForm, WasmGrammars } from "./wasm.js";

/** Names the words that may come behind the text, or `null` for any. */
export type AskWords = (text: string, tokens: readonly number[]) => Promise<readonly string[] | null>;

/** Makes the constraints of one engine, from its vocabulary and the module of grammars. */
export class Constraints {
  readonly #engine: WasmEngine;
  readonly #module: () => Promise<WasmGrammars>;
  #made: { readonly module: WasmGrammars; readonly compiler: WasmCompiler } | undefined;

  constructor(engine: WasmEngine, module: () => Promise<WasmGrammars>) {
    this.#engine = engine;
    this.#module = module;
  }

  /** The constraint of a form, or of whoever is asked for words. */
  async make(form: FormRequest | undefined, ask: AskWords | undefined): Promise<FormConstraint | undefined> {
    if (form === undefined && ask === undefined) return undefined;
    const compiler = this.#compiler(await this.#module());
    return new FormConstraint(form === undefined ? compiler.monitor() : compiler.compile(JSON.stringify(form)), ask);
  }

  free(): void {
    this.#made?.compiler.free();
    this.#made = undefined;
  }

  /** The vocabulary crosses once; after a trap there is another instance, which does not know it yet. */
  #compiler(module: WasmGrammars): WasmCompiler {
    if (this.#made?.module === module) return this.#made.compiler;
    const table = this.#engine.tokenTable();
    const write = (text: string): Uint32Array => this.#engine.continuation(text);
    const compiler = new module.Compiler(table.pieces, table.lengths, table.special, table.ends, write);
    table.free();
    this.#made = { module, compiler };
    return compiler;
  }
}

/** A form as the engine asks it. */
export class FormConstraint implements WasmConstraint {
  readonly #form: WasmForm;
  readonly #ask: AskWords | undefined;

  constructor(form: WasmForm, ask: AskWords | undefined) {
    this.#form = form;
    this.#ask = ask;
  }

  ready(): Promise<void> | undefined {
    const question = this.#form.question();
    if (question === undefined) return undefined;
    const { text, tokens } = question;
    question.free();
    return this.#answer(text, tokens);
  }

  mask(): Uint32Array {
    return this.#form.mask();
  }

  commit(token: number): void {
    this.#form.commit(token);
  }

  rollback(n: number): void {
    this.#form.rollback(n);
  }

  forced(): Uint32Array {
    return this.#form.forced();
  }

  isAccepting(): boolean {
    return this.#form.isAccepting();
  }

  isOver(): boolean {
    return this.#form.isOver();
  }

  fork(): FormConstraint {
    return new FormConstraint(this.#form.fork(), this.#ask);
  }

  free(): void {
    this.#form.free();
  }

  async #answer(text: string, tokens: Uint32Array): Promise<void> {
    const words = await this.#ask?.(text, Array.from(tokens));
    this.#form.answer(words === undefined || words === null ? undefined : [...words]);
  }
}
