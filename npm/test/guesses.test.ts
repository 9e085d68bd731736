import assert from "node:assert/strict";
import test from "node:test";
import { Guesses, forgetGuesses } from "../dist/cache/guesses.js";
import { MemoryStore } from "../dist/cache/memory.js";
import { modelsOf } from "../dist/models.js";
import { KINDS, MODEL, loadEngine, rest } from "./load.js";
import { testRealm } from "./realm.js";

const options = { guessMemory: true };

for (const kind of KINDS) {
  test(`${kind}: what guessing learns is there for the next engine of the same model, if that is wanted`, async () => {
    const realm = testRealm();
    const guess = async (how: { guessMemory?: boolean }, source = MODEL): Promise<readonly string[]> => {
      const { engine } = await loadEngine(kind, { realm, source, options: how });
      await engine.completions.create({ prompt: "x", max_tokens: 3, speculate: "auto" });
      await engine.completions.create({ prompt: "x", max_tokens: 3 });
      await rest(20);
      await engine.dispose();
      return engine.info.notes;
    };
    await guess({});
    assert.deepEqual(await realm.memory.keys(), []);
    assert.deepEqual(await guess(options), []);
    assert.deepEqual(realm.control.remembered, []);
    await guess(options, MODEL.slice(0, 4000));
    assert.deepEqual(realm.control.remembered, [], "another model's are no use");
    assert.deepEqual(await guess(options), []);
    // Behind the three tokens of the request that guessed; plain ones teach nothing.
    assert.deepEqual(realm.control.remembered.map((bytes) => [...bytes]), [[1, 9]]);
    assert.deepEqual(await modelsOf(realm).list(), []);
  });

  test(`${kind}: damaged memory is thrown away with a note`, async () => {
    const realm = testRealm();
    const { engine } = await loadEngine(kind, { realm, options });
    await engine.completions.create({ prompt: "x", max_tokens: 1, speculate: "auto" });
    await rest(20);
    await engine.dispose();
    const shelf = await realm.memory.shelf("guesses");
    const [name = ""] = (await shelf.names()).filter((one) => one !== "order.json");
    await shelf.write(name, Uint8Array.of(255));
    const second = await loadEngine(kind, { realm, options });
    assert.match(second.engine.info.notes.join(), /kept for guessing is not used: it does not begin as one/);
    assert.deepEqual(await shelf.names(), ["order.json"]);
    await second.engine.dispose();
    const third = await loadEngine(kind, { realm, options });
    assert.deepEqual(third.engine.info.notes, []);
    await third.engine.dispose();
  });
}

test("eight models' are kept, those used last, and none that is too long", async () => {
  const store = new MemoryStore();
  const keep = async (name: string, bytes = Uint8Array.of(1)): Promise<void> => {
    const guesses = new Guesses(store, name);
    guesses.keep(bytes);
    await guesses.written();
  };
  for (const name of "abcdefgh") await keep(name);
  await keep("a");
  await keep("i");
  const shelf = await store.shelf("guesses");
  assert.deepEqual((await shelf.names()).filter((name) => name !== "order.json").sort(), [..."acdefghi"]);
  await keep("j", new Uint8Array((16 << 20) + 1));
  assert.equal(await shelf.read("j"), undefined);
  await forgetGuesses(store);
  assert.deepEqual(await store.keys(), []);
});

test("a storage that refuses costs nothing but the memory", async () => {
  const store = new MemoryStore();
  store.shelf = () => Promise.reject(new Error("taken away"));
  const guesses = new Guesses(store, "a");
  guesses.keep(Uint8Array.of(1));
  await guesses.written();
  let locked = 2;
  store.remove = async () => {
    locked -= 1;
    if (locked > 0) throw new Error("locked");
    return true;
  };
  await forgetGuesses(store);
  assert.equal(locked, 0);
  assert.match((await guesses.load(() => undefined)) ?? "", /taken away/);
});
