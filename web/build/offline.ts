import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/** Files that a host reads and a browser never asks for. */
const FOR_THE_HOST = new Set(["_headers", "sw.js"]);

/** Emits `sw.js`: the worker that answers for the page's own files when there is no network, with the list of those files. */
export function offline(worker: URL): Plugin {
  return {
    name: "offline",
    apply: "build",
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        const files = ["./", ...Object.keys(bundle), "icon.svg", "manifest.webmanifest"].filter((name) => !FOR_THE_HOST.has(name));
        const hash = createHash("sha256");
        for (const part of Object.values(bundle)) hash.update(part.fileName).update(part.type === "chunk" ? part.code : part.source);
        const source = await readFile(worker, "utf8");
        const list = JSON.stringify([...new Set(files)].sort());
        this.emitFile({
          type: "asset",
          fileName: "sw.js",
          source: `const VERSION = "${hash.digest("hex").slice(0, 16)}";\nconst FILES = ${list};\n${source}`,
        });
      },
    },
  };
}
