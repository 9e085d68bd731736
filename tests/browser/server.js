// A static server on the loopback for the tests: several folders, ranges, the headers that a test wants, and slowness.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** The strictest policy under which wasm may be compiled: nothing else becomes code, nothing is asked of other hosts. */
export const STRICT = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; img-src data:",
};

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a page needs that tests the wasm itself: an empty page, the built wasm, the golden data. */
export const mounts = {
  "/golden/": join(root, "tests/golden"),
  "/page/": join(root, "tests/browser/page"),
  "/wasm/": join(root, "npm/src/wasm"),
};

/** The headers that the `_headers` file of a built page asks its host for. */
export async function headersOf(folder) {
  const text = await readFile(join(folder, "_headers"), "utf8");
  return Object.fromEntries([...text.matchAll(/^\s+([\w-]+): (.+)$/gm)].map(([, name, value]) => [name, value]));
}

/**
 * Serves what `folders` maps the beginnings of paths to, the first that fits: a folder, or a function from the rest of the path to a
 * file, to bytes, or to nothing. The server has a `url`, and `requests`: path and promised bytes of each, in order. Every answer waits
 * with its body until `held(path)` is done.
 */
export async function serve({ folders = mounts, headers = STRICT, held = () => {} } = {}) {
  const requests = [];
  const answer = async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const entry = { path, bytes: 0 };
    requests.push(entry);
    const found = await find(folders, path);
    // Browsers ask for it of themselves, and complain.
    if (!found) return void response.writeHead(path === "/favicon.ico" ? 204 : 404, headers).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const first = range ? Number(range[1]) : 0;
    const last = Math.min(Number(range?.[2] || Infinity), found.size - 1);
    entry.bytes = last - first + 1;
    response.writeHead(range ? 206 : 200, {
      ...headers,
      "Accept-Ranges": "bytes",
      "Cache-Control": "no-store",
      "Content-Length": entry.bytes,
      "Content-Type": TYPES[extname(found.name)] ?? "application/octet-stream",
      ETag: found.tag,
      ...(range && { "Content-Range": `bytes ${first}-${last}/${found.size}` }),
    });
    await held(path);
    if (request.method === "HEAD") response.end();
    else if (found.bytes) response.end(found.bytes.subarray(first, last + 1));
    else createReadStream(found.name, { start: first, end: last }).pipe(response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, requests, close };
}

/** What lies at a path: its name, size and tag, and its bytes where they are not in a file. */
async function find(folders, path) {
  const start = Object.keys(folders).find((start) => path.startsWith(start));
  if (start === undefined) return undefined;
  // Made whole first, so that no `..` leaves the folder.
  const rest = normalize(`/${path.slice(start.length)}`).replace(/\/$/, "/index.html");
  const target = folders[start];
  const place = typeof target === "function" ? target(rest.slice(1)) : join(target, rest);
  if (place instanceof Uint8Array) return { name: rest, bytes: place, size: place.length, tag: `"${place.length}"` };
  const file = place && (await stat(place).catch(() => undefined));
  return file?.isFile() ? { name: place, size: file.size, tag: `"${file.size}-${file.mtimeMs}"` } : undefined;
}
