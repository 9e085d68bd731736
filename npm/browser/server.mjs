import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
/** The strictest policy under which wasm may be compiled. */
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";
const PAGE = '<!doctype html><title>goldcrest</title><script type="module" src="/page.js"></script>';

/**
 * A page that has the package as `goldcrest`, and a model at `/model.gguf` that is sent with ranges. `sent` counts the model's bytes
 * from the moment on that they are promised, `requests` the requests for it; `delay` slows each of them down.
 */
export async function serve(model) {
  const state = { sent: 0, requests: 0, delay: 0, url: "", close };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://host");
    const headers = { "Content-Security-Policy": CSP };
    const send = (type, body) => response.writeHead(200, { ...headers, "Content-Type": type }).end(body);
    if (pathname === "/") return send("text/html", PAGE);
    if (pathname === "/page.js") return send("text/javascript", 'import * as goldcrest from "/dist/index.js"; window.goldcrest = goldcrest;');
    if (pathname.startsWith("/dist/")) return send(TYPES[extname(pathname)] ?? "text/plain", readFileSync(DIST + pathname.slice(6)));
    if (pathname === "/favicon.ico") return response.writeHead(204, headers).end();
    if (pathname !== "/model.gguf") return response.writeHead(404, headers).end();
    const [, first = "0", last = `${model.length - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const body = model.subarray(Number(first), Number(last) + 1);
    state.requests += 1;
    state.sent += body.length;
    response.writeHead(206, {
      ...headers,
      "Content-Length": body.length,
      "Content-Range": `bytes ${first}-${Number(first) + body.length - 1}/${model.length}`,
      ETag: '"one"',
    });
    setTimeout(() => response.end(body), state.delay);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}/`;
  return state;

  function close() {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  }
}
