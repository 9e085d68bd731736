import { defineConfig, type Plugin } from "vite";
import { models } from "./build/models.js";
import { offline } from "./build/offline.js";
import { POLICY } from "./build/policy.js";

/** Puts the policy into the built page, for hosts that set no headers, and into `_headers` for those that do. */
function policy(): Plugin {
  return {
    name: "policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
    ],
    generateBundle() {
      const headers = [
        `Content-Security-Policy: ${POLICY}; frame-ancestors 'none'`,
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
      ];
      this.emitFile({ type: "asset", fileName: "_headers", source: `/*\n${headers.map((header) => `  ${header}\n`).join("")}` });
    },
  };
}

export default defineConfig({
  // Relative, so that the page may live in any folder of a host.
  base: "./",
  build: {
    target: "es2022",
    // Inlined files would be `data:` URLs, which the policy does not let in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  // The pages of the methods and the package lie beside this folder.
  server: { fs: { allow: [".."] } },
  // The package finds its wasm file and its worker beside its own code; pre-bundling would move the code away from them.
  optimizeDeps: { exclude: ["goldcrest"] },
  plugins: [policy(), models(process.env["GOLDCREST_MODELS"]), offline(new URL("./build/sw.js", import.meta.url))],
});
