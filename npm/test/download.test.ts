import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { openRemote, shelfKey } from "../dist/cache/download.js";
import { MemoryStore } from "../dist/cache/memory.js";
import { readShelf } from "../dist/cache/record.js";
import type { DownloadOptions, RemoteFile } from "../dist/cache/remote.js";
import type { Shelf } from "../dist/cache/store.js";
import type { OpenSource } from "../dist/core/bytes.js";
import { downloadTools } from "../dist/core/realm.js";
import { GoldcrestError } from "../dist/index.js";
import { faultServer, modelBytes, randomNumbers, type FaultServer } from "./fault-server.js";
import { rest, soon } from "./load.js";
import { CHUNK, digest, testRealm, WINDOW, type TestRealm } from "./realm.js";

const SIZE = 40 * CHUNK + 77;
const BYTES = modelBytes(SIZE);
const SUM = createHash("sha256").update(BYTES).digest("hex");

interface Opened {
  readonly source: OpenSource;
  readonly phases: Map<string, number[]>;
}

async function open(server: FaultServer, realm: TestRealm, more: Partial<DownloadOptions> = {}): Promise<Opened> {
  const phases = new Map<string, number[]>();
  const file: RemoteFile = { source: `${server.url}/m.gguf`, locate: async () => ({ url: `${server.url}/m.gguf`, size: null, sha256: null }) };
  const source = await openRemote(file, await downloadTools(realm, "auto", { wasmUrl: undefined, relaxedUrl: undefined }), {
    connections: 4,
    signal: new AbortController().signal,
    sha256: null,
    headerOnly: false,
    onProgress: (phase, loaded, total) => {
      assert.ok(loaded <= total, `${phase}: ${loaded} of ${total}`);
      phases.set(phase, [...(phases.get(phase) ?? []), loaded]);
    },
    ...more,
  });
  return { source, phases };
}

async function readAll(source: OpenSource, step = 3000): Promise<Uint8Array> {
  const bytes = new Uint8Array(source.size);
  for (let at = 0; at < source.size; at += step) bytes.set(await source.read(at, Math.min(step, source.size - at)), at);
  return bytes;
}

async function shelfOf(server: FaultServer, realm: TestRealm): Promise<Shelf> {
  return realm.memory.shelf(await shelfKey(`${server.url}/m.gguf`, digest));
}

async function fails(promise: Promise<unknown>, code: string): Promise<GoldcrestError> {
  const error = await promise.then(() => assert.fail("it was fulfilled"), (thrown: unknown) => thrown);
  assert.ok(error instanceof GoldcrestError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

async function served<T>(more: Parameters<typeof faultServer>[1], body: (server: FaultServer) => Promise<T>): Promise<T> {
  const server = await faultServer(BYTES, more);
  try {
    return await body(server);
  } finally {
    await server.close();
  }
}

test("a file arrives over several connections, is checked, kept, and read without a request afterwards", () =>
  served({ onRequest: () => ({ delay: 5 }) }, async (server) => {
    const realm = testRealm();
    const { source, phases } = await open(server, realm, { sha256: SUM });
    assert.deepEqual(await readAll(source), BYTES);
    await source.finished();
    assert.equal(server.sent, SIZE);
    assert.ok(server.requests.length >= 10);
    assert.equal(phases.get("download")?.at(-1), SIZE);
    assert.equal(phases.get("verify")?.at(-1), SIZE);
    const { record } = await readShelf(await shelfOf(server, realm));
    assert.equal(record?.sha256, SUM);
    const before = server.requests.length;
    const again = await open(server, realm);
    assert.deepEqual(await readAll(again.source), BYTES);
    await again.source.finished();
    assert.equal(server.requests.length, before);
  }));

test("reads are served before the file is whole, and what is waited for comes first", () =>
  served({ onRequest: () => ({ delay: 20 }) }, async (server) => {
    const { source } = await open(server, testRealm(), { connections: 1 });
    const last = await source.read(SIZE - 100, 100);
    assert.deepEqual(last, BYTES.subarray(SIZE - 100));
    assert.ok(server.sent < SIZE / 2, `${server.sent} bytes for the end of the file`);
    await source.finished();
    assert.equal(server.sent, SIZE);
  }));

for (let seed = 0; seed < 20; seed += 1) {
  test(`seed ${seed}: connections break at random points, and no byte comes twice`, async () => {
    const random = randomNumbers(seed);
    await served({ onRequest: () => (random() < 0.4 ? { cutAfter: Math.floor(random() * 4 * CHUNK) } : undefined) }, async (server) => {
      const { source } = await open(server, testRealm(), { sha256: SUM });
      assert.deepEqual(await readAll(source), BYTES);
      await source.finished();
      assert.equal(server.sent, SIZE);
    });
  });

  test(`seed ${seed}: a page that is closed at a random point goes on from there`, async () => {
    const random = randomNumbers(seed + 100);
    await served({}, async (server) => {
      const realm = testRealm();
      const stopAt = Math.floor(random() * SIZE);
      const control = new AbortController();
      const { source } = await open(server, realm, {
        signal: control.signal,
        onProgress: (_, loaded) => {
          if (loaded >= stopAt) control.abort();
        },
      });
      await source.finished().catch(() => undefined);
      control.abort();
      await rest(10);
      const again = await open(server, testRealm({ store: realm.memory }), { sha256: SUM });
      assert.deepEqual(await readAll(again.source), BYTES);
      await again.source.finished();
      assert.ok(server.sent <= SIZE + WINDOW * CHUNK, `${server.sent - SIZE} bytes came twice`);
    });
  });
}

test("what is under way is bounded over all connections: a page that is closed loses no more", () =>
  served({}, async (server) => {
    for (const connections of [1, 4, 8]) {
      const realm = testRealm();
      let written = 0;
      let most = 0;
      const store = new MemoryStore();
      const { shelf } = store;
      store.shelf = async (key) => {
        const found = await shelf.call(store, key);
        const write = found.write.bind(found);
        found.write = async (name, bytes) => {
          await rest(3);
          if (name.startsWith("c0")) written += bytes.byteLength;
          return write(name, bytes);
        };
        return found;
      };
      server.sent = 0;
      server.file.onRequest = () => {
        most = Math.max(most, server.sent - written);
        return undefined;
      };
      await (await open(server, { ...realm, store: async () => store } as TestRealm, { connections })).source.finished();
      assert.ok(most <= WINDOW * CHUNK, `${most} bytes under way on ${connections} connections`);
    }
  }));

test("a server without ranges sends everything in one stream, and starts over after a cut", () =>
  served({ ranges: false, onRequest: (_, number) => (number < 2 ? { cutAfter: 9000 * (number + 1) } : undefined) }, async (server) => {
    const realm = testRealm();
    const { source } = await open(server, realm, { sha256: SUM });
    assert.deepEqual(await readAll(source), BYTES);
    await source.finished();
    assert.equal(server.requests.length, 3);
  }));

test("a server that forgets about ranges on the way", () =>
  served({}, async (server) => {
    server.file.onRequest = (_, number) => {
      if (number === 3) server.file.ranges = false;
      return undefined;
    };
    const { source } = await open(server, testRealm(), { sha256: SUM });
    assert.deepEqual(await readAll(source), BYTES);
    await source.finished();
  }));

test("a server that is busy is asked again, after the pause that it names", () =>
  served({ onRequest: (_, number) => (number % 2 === 0 ? { status: 503, headers: { "retry-after": "0" } } : undefined) }, async (server) => {
    const { source } = await open(server, testRealm(), { sha256: SUM });
    await source.finished();
  }));

test("a server that stays away is given up; what has arrived is kept", () =>
  served({}, async (server) => {
    const realm = testRealm();
    server.file.onRequest = (_, number) => (number >= 3 ? { status: 503 } : undefined);
    const { source } = await open(server, realm);
    const error = await fails(source.finished(), "E_NETWORK");
    assert.match(error.message, /127\.0\.0\.1.*503/);
    await fails(source.read(SIZE - 10, 10), "E_NETWORK");
    assert.ok((await readShelf(await shelfOf(server, realm))).chunks.size >= 4);
  }));

test("a connection that stands still counts as broken", () =>
  served({ onRequest: (_, number) => (number === 1 ? { hang: true } : undefined) }, async (server) => {
    const { source } = await open(server, testRealm({ network: { stall: 100 } }), { sha256: SUM });
    await source.finished();
  }));

test("statuses that are no file are final, and leave nothing behind", async () => {
  for (const status of [404, 403, 410]) {
    await served({ onRequest: () => ({ status }) }, async (server) => {
      const realm = testRealm();
      const error = await fails(open(server, realm), "E_STATUS");
      assert.equal(error.details?.["status"], status);
      assert.equal(server.requests.length, 1);
      assert.deepEqual(await realm.memory.keys(), []);
    });
  }
});

test("a file that changes on the way is not mixed with the old one", () =>
  served({ onRequest: () => ({ delay: 2 }) }, async (server) => {
    const realm = testRealm();
    const other = modelBytes(SIZE).reverse();
    other.set(BYTES.subarray(0, 4));
    server.file.onRequest = (_, number) => {
      if (number === 4) Object.assign(server.file, { etag: '"two"', bytes: other });
      return { delay: 2 };
    };
    const { source } = await open(server, realm);
    await fails(source.finished(), "E_CHANGED");
    assert.deepEqual(await realm.memory.keys(), []);
    const again = await open(server, realm);
    assert.deepEqual(await readAll(again.source), other);
  }));

test("a partial copy of a file that has changed since is dropped", async () => {
  for (const validator of ["etag", "size", "last-modified"]) {
    await served(validator === "last-modified" ? { etag: null } : {}, async (server) => {
      const realm = testRealm();
      let modified = "Mon, 01 Jan 2024 00:00:00 GMT";
      server.file.onRequest = (_, number) => ({
        // Later than the chunks that are to be kept.
        ...(number >= 3 ? { status: 404, delay: 30 } : {}),
        headers: validator === "last-modified" ? { "last-modified": modified } : {},
      });
      const first = await open(server, realm);
      await fails(first.source.finished(), "E_STATUS");
      assert.ok((await readShelf(await shelfOf(server, realm))).chunks.size > 0);
      const other = modelBytes(validator === "size" ? SIZE - 500 : SIZE).reverse();
      other.set(BYTES.subarray(0, 4));
      modified = "Tue, 02 Jan 2024 00:00:00 GMT";
      server.file.bytes = other;
      if (validator === "etag") server.file.etag = '"two"';
      server.file.onRequest = () => ({ headers: validator === "last-modified" ? { "last-modified": modified } : {} });
      const { source } = await open(server, realm);
      assert.deepEqual(await readAll(source), other, validator);
      await source.finished();
    });
  }
});

test("wrong bytes are found by the sum, and deleted", () =>
  served({ onRequest: () => ({ body: BYTES.map((byte, at) => (at === 9 * CHUNK ? byte ^ 1 : byte)) }) }, async (server) => {
    const realm = testRealm();
    const { source } = await open(server, realm, { sha256: SUM });
    const error = await fails(source.finished(), "E_CHECKSUM");
    assert.equal(error.details?.["expected"], SUM);
    assert.deepEqual(await realm.memory.keys(), []);
    delete server.file.onRequest;
    const again = await open(server, realm, { sha256: SUM });
    await again.source.finished();
  }));

test("the hub's own header gives the sum", () =>
  served({ onRequest: () => ({ headers: { "x-linked-etag": `"${"0".repeat(64)}"` } }) }, async (server) => {
    const { source } = await open(server, testRealm());
    await fails(source.finished(), "E_CHECKSUM");
  }));

test("a page with status 200 is no model and is never kept", () =>
  served({ onRequest: () => ({ body: new TextEncoder().encode("<!DOCTYPE html><title>Sign in</title>") }) }, async (server) => {
    const realm = testRealm();
    const { source } = await open(server, realm);
    const error = await fails(source.finished(), "E_NOT_GGUF");
    assert.match(error.message, /web page/);
    assert.deepEqual(await realm.memory.keys(), []);
  }));

test("lengths: hidden from the page, missing, longer than announced", async () => {
  await served({ onRequest: ({ method }) => (method === "HEAD" ? undefined : { headers: { "content-range": "" } }) }, async (server) => {
    const { source } = await open(server, testRealm(), { sha256: SUM });
    assert.deepEqual(await readAll(source), BYTES);
    await source.finished();
    assert.equal(server.requests[1]?.method, "HEAD");
  });
  await served({ ranges: false, onRequest: () => ({ noLength: true }) }, async (server) => {
    await fails(open(server, testRealm()), "E_SIZE");
  });
});

test("two loads at once fetch once, and the second one sees the progress of the first", () =>
  served({ onRequest: () => ({ delay: 5 }) }, async (server) => {
    const realm = testRealm();
    const [first, second] = [open(server, realm), open(server, realm)];
    const { source } = await first;
    await source.finished();
    const waited = await second;
    assert.deepEqual(await readAll(waited.source), BYTES);
    assert.equal(server.sent, SIZE);
    assert.ok((waited.phases.get("download") ?? []).length > 3);
  }));

test("the second of two takes over when the first one ends", () =>
  served({ onRequest: () => ({ delay: 5 }) }, async (server) => {
    const realm = testRealm();
    const control = new AbortController();
    const { source } = await open(server, realm, { signal: control.signal });
    const second = open(server, realm, { sha256: SUM });
    await source.read(0, 100);
    control.abort();
    await fails(source.finished(), "E_ABORTED");
    await (await second).source.finished();
  }));

test("an abort reaches a download in every state", async () => {
  const ends = async (promise: Promise<unknown>): Promise<void> => {
    const error = await soon(fails(promise, "E_ABORTED"));
    assert.equal(error.name, "AbortError");
  };
  await served({ onRequest: () => ({ hang: true }) }, async (server) => {
    const control = new AbortController();
    const opening = open(server, testRealm(), { signal: control.signal });
    await rest(20);
    control.abort();
    await ends(opening);
    await ends(open(server, testRealm(), { signal: AbortSignal.abort() }));
  });
  await served({ onRequest: (_, number) => (number > 0 ? { hang: true } : undefined) }, async (server) => {
    const realm = testRealm();
    const control = new AbortController();
    const { source } = await open(server, realm, { signal: control.signal });
    const waiting = open(server, realm, { signal: control.signal });
    await source.read(0, CHUNK);
    const reading = source.read(SIZE - 5, 5);
    reading.catch(() => undefined);
    control.abort();
    await ends(source.finished());
    await ends(reading);
    await ends(waiting);
  });
});

test("storage: too little is said before a byte is stored, and a full disk leaves nothing", async () => {
  class FullStore extends MemoryStore {
    override readonly kind = "opfs";
    room = SIZE;
    override async shelf(key: string): Promise<Shelf> {
      const shelf = await super.shelf(key);
      return {
        names: () => shelf.names(),
        read: (name) => shelf.read(name),
        remove: (name) => shelf.remove(name),
        write: async (name, bytes) => {
          this.room -= bytes.byteLength;
          if (this.room < 0) throw new DOMException("full", "QuotaExceededError");
          await shelf.write(name, bytes);
        },
      };
    }
  }
  await served({}, async (server) => {
    const store = new FullStore();
    const realm = testRealm({ store });
    realm.quota = { quota: 100_000, usage: 100_000 - 5000 };
    const error = await fails(open(server, realm), "E_QUOTA");
    assert.deepEqual(error.details, { needed: SIZE, free: 5000 });
    assert.match(error.help ?? "", /memory/);
    assert.deepEqual(await store.keys(), []);
    realm.quota = { quota: 100_000, usage: 0 };
    store.room = SIZE / 2;
    // A slow answer about the room left: the read hears of the full disk before the download has given up.
    const estimate = async () => {
      await new Promise((go) => setTimeout(go, 50));
      return realm.quota;
    };
    const slow = { ...realm, estimate };
    const { source } = await open(server, slow);
    const reading = fails(readAll(source), "E_QUOTA");
    await fails(source.finished(), "E_QUOTA");
    await reading;
    assert.deepEqual(await store.keys(), []);
  });
});

test("a damaged chunk of a complete copy is found and fetched again, alone", () =>
  served({}, async (server) => {
    const realm = testRealm();
    await (await open(server, realm)).source.finished();
    const shelf = await shelfOf(server, realm);
    const names = (await shelf.names()).filter((name) => name.startsWith("c")).sort();
    for (const [at, damage] of [[3, "flip"], [7, "shorten"], [11, "remove"]] as const) {
      const name = names[at] ?? "";
      const bytes = (await shelf.read(name)) ?? new Uint8Array();
      if (damage === "flip") await shelf.write(name, bytes.map((byte, index) => (index === 5 ? byte ^ 8 : byte)));
      if (damage === "shorten") await shelf.write(name, bytes.slice(1));
      if (damage === "remove") await shelf.remove(name);
    }
    const { sent } = server;
    const { source } = await open(server, realm);
    assert.deepEqual(await readAll(source), BYTES);
    assert.equal(server.sent - sent, 3 * CHUNK);
    const again = await open(server, realm);
    assert.deepEqual(await readAll(again.source), BYTES);
    assert.equal(server.sent - sent, 3 * CHUNK);
  }));

test("damage that cannot be repaired has a code of its own", () =>
  served({}, async (server) => {
    const realm = testRealm();
    await (await open(server, realm)).source.finished();
    const shelf = await shelfOf(server, realm);
    const name = (await shelf.names()).find((one) => one.startsWith("c000005")) ?? "";
    const bytes = (await shelf.read(name)) ?? new Uint8Array();
    await shelf.write(name, bytes.map((byte) => byte ^ 1));
    server.file.onRequest = () => ({ status: 503 });
    await fails(readAll((await open(server, realm)).source), "E_CACHE_CORRUPT");
    Object.assign(server.file, { onRequest: undefined, bytes: modelBytes(SIZE).fill(7, 4) });
    await fails(readAll((await open(server, realm)).source), "E_CACHE_CORRUPT");
  }));

test("a crash between any two steps of a download is repaired by the next one", () =>
  served({}, async (server) => {
    const whole = testRealm();
    await (await open(server, whole)).source.finished();
    const shelf = await shelfOf(server, whole);
    const written = await shelf.names();
    for (const torn of ["source.json", "record.json", written.find((name) => name.startsWith("c000002")) ?? ""]) {
      for (const damage of ["missing", "empty", "half"] as const) {
        const realm = testRealm();
        const copy = await shelfOf(server, realm);
        for (const name of written) await copy.write(name, ((await shelf.read(name)) ?? new Uint8Array()).slice());
        const bytes = (await copy.read(torn)) ?? new Uint8Array();
        if (damage === "missing") await copy.remove(torn);
        else await copy.write(torn, bytes.slice(0, damage === "empty" ? 0 : bytes.length >> 1));
        const { source } = await open(server, realm, { sha256: torn === "record.json" ? SUM : null });
        assert.deepEqual(await readAll(source), BYTES, `${torn} ${damage}`);
        await source.finished();
        assert.ok((await readShelf(copy)).record, `${torn} ${damage}`);
      }
    }
  }));

test("a copy whose sum nobody asked for so far is summed when somebody does, without fetching it again", () =>
  served({}, async (server) => {
    const realm = testRealm();
    await (await open(server, realm)).source.finished();
    const { sent } = server;
    await (await open(server, realm, { sha256: SUM })).source.finished();
    assert.equal(server.sent, sent);
    assert.equal((await readShelf(await shelfOf(server, realm))).record?.sha256, SUM);
    const { source } = await open(server, realm, { sha256: "0".repeat(64) });
    await fails(source.finished(), "E_CHECKSUM");
    assert.equal(server.sent, 2 * sent);
  }));

test("a look at the header fetches the start, and keeps nothing", () =>
  served({}, async (server) => {
    const realm = testRealm();
    const { source } = await open(server, realm, { headerOnly: true });
    assert.deepEqual(await source.read(10, 100), BYTES.subarray(10, 110));
    await source.finished();
    source.close();
    assert.ok(server.sent <= WINDOW * CHUNK);
    assert.deepEqual(await realm.memory.keys(), []);
  }));
