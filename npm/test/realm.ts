import { MessageChannel } from "node:worker_threads";
import { platformDigest } from "../dist/cache/digest.js";
import { RealmLocks } from "../dist/cache/locks.js";
import { MemoryStore } from "../dist/cache/memory.js";
import { sleep, type Network } from "../dist/cache/network.js";
import type { ModelStore } from "../dist/cache/store.js";
import { WorkerCore, type PagePort } from "../dist/core/client.js";
import { LocalCore } from "../dist/core/local.js";
import type { Realm } from "../dist/core/realm.js";
import { serve, type WorkerPort } from "../dist/core/server.js";
import type { WasmGrammars, WasmModule } from "../dist/core/wasm.js";
import { fakeControl, fakeGrammars, fakeWasm, type FakeControl } from "./fake-wasm.js";

/** Bytes of a chunk in tests: files of 100 kB then have many. */
export const CHUNK = 1024;

/** Chunks under way at most. */
export const WINDOW = 8;

export interface TestRealm extends Realm {
  readonly control: FakeControl;
  readonly memory: ModelStore;
  quota: { quota: number; usage: number } | undefined;
  /** Instances of the wasm module that were started. */
  instances: number;
}

export function testRealm(more: { network?: Partial<Network>; store?: ModelStore; control?: FakeControl } = {}): TestRealm {
  const control = more.control ?? fakeControl();
  const memory = more.store ?? new MemoryStore();
  let current: WasmModule | undefined;
  let grammars: WasmGrammars | undefined;
  const realm: TestRealm = {
    control,
    memory,
    quota: undefined,
    instances: 0,
    network: {
      fetch: globalThis.fetch,
      chunkSize: CHUNK,
      window: WINDOW,
      attempts: 6,
      stall: 2000,
      pause: (failures, retryAfter, signal) => sleep(retryAfter ?? failures, signal),
      ...more.network,
    },
    locks: new RealmLocks(),
    estimate: async () => realm.quota,
    wasm: {
      async get() {
        if (current === undefined) realm.instances += 1;
        current ??= fakeWasm(control);
        return current;
      },
      async discard(module) {
        if (module === current) current = undefined;
      },
    },
    grammars: {
      async get() {
        grammars ??= fakeGrammars(control);
        return grammars;
      },
      async discard(module) {
        if (module === grammars) grammars = undefined;
      },
    },
    store: async () => memory,
  };
  return realm;
}

export const digest = platformDigest() ?? (() => Promise.reject(new Error("no digest")));

/** A core behind a real message port: everything crosses by structured clone. */
export function portCore(realm: Realm): { core: WorkerCore; page: PagePort; terminated: () => boolean } {
  const { port1, port2 } = new MessageChannel();
  let over = false;
  serve(port2 as unknown as WorkerPort, new LocalCore(realm));
  const page = Object.assign(port1 as unknown as PagePort, {
    terminate: () => {
      over = true;
      port1.close();
    },
  });
  return { core: new WorkerCore(page), page, terminated: () => over };
}
