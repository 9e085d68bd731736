/** The wasm modules are built, not written. Without a build of them, the types are those that this package expects. */
declare module "*/goldcrest_wasm.js" {
  const glue: import("./wasm.js").WasmGlue<import("./wasm.js").WasmModule>;
  export default glue.default;
  export const Engine: typeof glue.Engine;
  export const Sha256: typeof glue.Sha256;
  export const plan: typeof glue.plan;
  export const strategies: typeof glue.strategies;
  export const version: typeof glue.version;
}

declare module "*/goldcrest_relaxed.js" {
  const glue: import("./wasm.js").WasmGlue<import("./wasm.js").WasmModule>;
  export default glue.default;
  export const Engine: typeof glue.Engine;
  export const Sha256: typeof glue.Sha256;
  export const plan: typeof glue.plan;
  export const strategies: typeof glue.strategies;
  export const version: typeof glue.version;
}

declare module "*/goldcrest_grammar.js" {
  const glue: import("./wasm.js").WasmGlue<import("./wasm.js").WasmGrammars>;
  export default glue.default;
  export const Compiler: typeof glue.Compiler;
  export const version: typeof glue.version;
}
