/** The wasm module is built, not written. Without a build of it, the types are those that this package expects. */
declare module "*/goldcrest_wasm.js" {
  const glue: import("./wasm.js").WasmGlue;
  export default glue.default;
  export const Engine: typeof glue.Engine;
  export const Sha256: typeof glue.Sha256;
  export const plan: typeof glue.plan;
  export const strategies: typeof glue.strategies;
  export const version: typeof glue.version;
}
