// A static server on the loopback for the tests: several folders, ranges, the headers that a test wants.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".css": "text/css",
  ".gguf": "application/octet-stream",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The strictest policy under which wasm may be compiled: nothing else becomes code, nothing is asked of other hosts. */
export const STRICT_CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; img-src data:";

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What every test page needs: an empty page, the built wasm, the golden data. */
export const mounts = {
  "/golden/": join(root, "tests/golden/"),
  "/page/": join(root, "tests/browser/page/"),
  "/wasm/": join(root, "npm/src/wasm/"),
};

/**
 * Serves folders by the beginnings of paths. `intercept(request, response)` may answer first and returns whether it did.
 * Resolves to `{ origin, requests, close }`; `requests` are the paths asked for, in order.
 */
export async function serve({ folders = mounts, headers = { "Content-Security-Policy": STRICT_CSP }, intercept } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    requests.push(path);
    if (intercept !== undefined && (await intercept(request, response))) return;
    const mount = Object.keys(folders).find((start) => path.startsWith(start));
    const file = mount && join(folders[mount], normalize(`/${path.slice(mount.length)}`));
    const found = file && (await stat(file).catch(() => undefined));
    if (!found?.isFile()) return void response.writeHead(404, headers).end();
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const first = range ? Number(range[1]) : 0;
    const last = range && range[2] !== "" ? Math.min(Number(range[2]), found.size - 1) : found.size - 1;
    response.writeHead(range ? 206 : 200, {
      ...headers,
      "Accept-Ranges": "bytes",
      "Cache-Control": "no-store",
      "Content-Length": last - first + 1,
      "Content-Type": type,
      ...(range && { "Content-Range": `bytes ${first}-${last}/${found.size}` }),
    });
    createReadStream(file, { start: first, end: last }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, requests, close };
}
