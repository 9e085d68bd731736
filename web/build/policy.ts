/**
 * What the page may do. It loads its own files only; it runs WebAssembly, and a worker. `connect-src` lets it fetch models from hosts
 * that the user names, which can be any, and from servers on the user's own machine.
 */
export const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "img-src 'self'",
  "style-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
