import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Connect, Plugin } from "vite";
import { modelFile } from "./model-file.js";

/**
 * While developing: serves the models of a folder at `/models/NAME.gguf`, and under `/hub/…` to whom looks for them on a hub. Start
 * with `GOLDCREST_MODELS=folder VITE_HUB_URL=./hub npm run dev`, and no network is needed.
 */
export function models(folder: string | undefined): Plugin {
  const answer: Connect.NextHandleFunction = (request, response, next) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname);
    if (!folder || !/^\/(models|hub)\/.+\.gguf$/.test(path)) return next();
    const file = modelFile(folder, path);
    stat(file).then(({ size }) => {
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
      const start = Number(from ?? 0);
      const end = to ? Math.min(Number(to), size - 1) : size - 1;
      response.writeHead(from === undefined ? 200 : 206, {
        "Content-Type": "application/octet-stream",
        "Content-Length": end - start + 1,
        "Accept-Ranges": "bytes",
        ...(from === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` }),
      });
      createReadStream(file, { start, end }).pipe(response);
    }, next);
  };
  return {
    name: "models",
    configureServer: ({ middlewares }) => void middlewares.use(answer),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(answer),
  };
}
