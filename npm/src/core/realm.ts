import { platformDigest, type Digest } from "../cache/digest.js";
import type { DownloadTools } from "../cache/remote.js";
import { platformLocks, type Locks } from "../cache/locks.js";
import { MemoryStore } from "../cache/memory.js";
import { platformNetwork, type Network } from "../cache/network.js";
import { OpfsStore } from "../cache/opfs.js";
import { platformEstimate, type Estimate } from "../cache/quota.js";
import type { ModelStore } from "../cache/store.js";
import { GoldcrestError } from "../errors.js";
import type { CacheKind } from "../types.js";
import { EngineModules, type EngineUrls } from "./engine-modules.js";
import { WasmHost, type WasmGrammars, type WasmModule } from "./wasm.js";

/** What a page, a worker or a process offers to a core. Tests bring their own. */
export interface Realm {
  readonly network: Network;
  readonly locks: Locks;
  readonly estimate: Estimate;
  readonly wasm: Pick<EngineModules, "get" | "discard">;
  /** The module of grammars, which is fetched when the first answer has to have a form. */
  readonly grammars: Pick<WasmHost<WasmGrammars>, "get" | "discard">;
  store(kind: CacheKind): Promise<ModelStore>;
}

/** The realm that this code runs in. */
export function platformRealm(): Realm {
  // One per realm: a model kept in memory serves all engines, and a trap concerns them all.
  shared ??= makeRealm();
  return shared;
}

let shared: Realm | undefined;

/** What a download needs of a realm. */
export async function downloadTools(realm: Realm, kind: CacheKind, urls: EngineUrls): Promise<DownloadTools> {
  const store = await realm.store(kind);
  const wasm = (): Promise<WasmModule> => realm.wasm.get(urls);
  return {
    network: realm.network,
    locks: realm.locks,
    estimate: realm.estimate,
    store,
    digest: platformDigest() ?? wasmDigest(wasm),
    newSum: async () => new (await wasm()).Sha256(),
  };
}

function makeRealm(): Realm {
  const memory = new MemoryStore();
  return {
    network: platformNetwork(),
    locks: platformLocks(),
    estimate: platformEstimate,
    wasm: new EngineModules(),
    grammars: WasmHost.grammars(),
    async store(kind) {
      if (kind === "memory") return memory;
      const opfs = await OpfsStore.open();
      if (opfs === undefined && kind === "opfs") {
        throw new GoldcrestError("E_NOT_AVAILABLE", "this browser gives the page no private file system to keep models in", {
          help: "pass cache: \"auto\" to keep the model in memory there; private windows and http: pages have no file system",
          details: { parameter: "cache" },
        });
      }
      return opfs ?? memory;
    },
  };
}

function wasmDigest(wasm: () => Promise<WasmModule>): Digest {
  return async (bytes) => {
    const sum = new (await wasm()).Sha256();
    try {
      sum.update(bytes);
      return sum.digestHex();
    } finally {
      sum.free();
    }
  };
}
