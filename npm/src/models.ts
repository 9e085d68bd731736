import { shelfKey } from "./cache/download.js";
import { chunkCount, lastUsed, readShelf } from "./cache/record.js";
import type { ModelStore } from "./cache/store.js";
import { downloadTools, type Realm } from "./core/realm.js";
import { nameOf } from "./source/catalogue.js";
import { cacheText } from "./source/resolve.js";
import type { CachedModel, Models } from "./types.js";

/** The models that a realm's stores hold. */
export function modelsOf(realm: Realm): Models {
  return {
    async list({ cache = "auto" } = {}) {
      const store = await realm.store(cache);
      const found = await Promise.all((await store.keys()).map((key) => describe(store, key)));
      return found.filter((model) => model !== undefined).sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
    },
    async remove(name, { cache = "auto" } = {}) {
      const text = cacheText(name);
      if (text === undefined) return false;
      const { store, digest } = await downloadTools(realm, cache, { wasmUrl: undefined, relaxedUrl: undefined });
      return store.remove(await shelfKey(text, digest));
    },
  };
}

async function describe(store: ModelStore, key: string): Promise<CachedModel | undefined> {
  const shelf = await store.shelf(key);
  const { header, record, chunks } = await readShelf(shelf);
  if (header === undefined) return undefined;
  let cached = 0;
  for (const index of chunks.keys()) {
    if (index < chunkCount(header)) cached += Math.min(header.chunkSize, header.size - index * header.chunkSize);
  }
  return {
    name: nameOf(header.source),
    source: header.source,
    size: header.size,
    cached,
    complete: record !== undefined && cached === header.size,
    lastUsed: new Date(await lastUsed(shelf)),
  };
}
