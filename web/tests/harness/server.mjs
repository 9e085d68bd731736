import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/**
 * Serves a folder on the loopback interface, with the headers that its `_headers` file asks for, or with those given. `mounts` maps path prefixes to functions
 * from the rest of a path to a file elsewhere; byte ranges are honoured, as model files are fetched in parts.
 */
export async function serve(folder, mounts = {}, given) {
  const headers = given ?? (await readHeaders(folder));
  const server = createServer((request, response) => {
    void answer(request, response).catch((error) => {
      response.writeHead(error.code === "ENOENT" ? 404 : 500).end(String(error.code ?? error));
    });
  });
  const answer = async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://host").pathname));
    const mount = Object.keys(mounts).find((prefix) => path.startsWith(prefix));
    const file = mount ? mounts[mount](path.slice(mount.length)) : join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const { size } = await stat(file);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    response.writeHead(range ? 206 : 200, {
      ...headers,
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Content-Length": end - start + 1,
      "Accept-Ranges": "bytes",
      ...(range ? { "Content-Range": `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(file, { start, end }).pipe(response);
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readHeaders(folder) {
  const text = await readFile(join(folder, "_headers"), "utf8").catch(() => "");
  return Object.fromEntries([...text.matchAll(/^\s+([\w-]+): (.+)$/gm)].map(([, name, value]) => [name, value]));
}
