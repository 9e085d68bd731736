import assert from "node:assert/strict";
import test from "node:test";
import { coded } from "./fake-wasm.js";
import { KINDS, loadEngine } from "./load.js";
import { testRealm, type TestRealm } from "./realm.js";

/** Adapters with subgroups, as a browser's; what devices were asked for. */
const devices: string[] = [];
class GPUAdapter {
  readonly features = new Set(["subgroups"]);
  async requestDevice({ requiredFeatures = [] }: { requiredFeatures?: Iterable<string> } = {}): Promise<void> {
    devices.push([...requiredFeatures].join());
  }
}
Object.assign(globalThis, { GPUAdapter });

/** A realm whose engines fail with `code` on the GPU: always, or only with subgroups. */
function unfit(code: string, always: boolean): TestRealm {
  const realm = testRealm();
  devices.length = 0;
  realm.control.beforeDevice = async (backend) => {
    if (backend === "cpu") return;
    await new GPUAdapter().requestDevice();
    if (always || devices.at(-1) === "subgroups") throw coded(code, `${code} ${devices.length}`);
  };
  return realm;
}

for (const kind of KINDS) {
  for (const code of ["E_WRONG_RESULTS", "E_DEVICE_REFUSED"]) {
    test(`${kind}: ${code} with subgroups leaves them out`, async () => {
      const { engine } = await loadEngine(kind, { realm: unfit(code, false) });
      assert.deepEqual(devices, ["subgroups", ""]);
      assert.deepEqual(engine.info.notes, [`without subgroups: ${code} 1`]);
      await engine.dispose();
    });

    test(`${kind}: ${code} without them, too, ends on the CPU`, async () => {
      const { engine } = await loadEngine(kind, { realm: unfit(code, true) });
      assert.deepEqual(devices, ["subgroups", ""]);
      assert.equal(engine.info.backend, "cpu");
      assert.deepEqual(engine.info.notes, [`without subgroups: ${code} 1`, `the CPU computes: ${code} 2`]);
      await engine.dispose();
    });
  }

  test(`${kind}: a backend that was named is not left`, async () => {
    await assert.rejects(loadEngine(kind, { realm: unfit("E_WRONG_RESULTS", true), options: { backend: "webgpu" } }), { code: "E_WRONG_RESULTS" });
    assert.deepEqual(devices, ["subgroups"]);
  });

  test(`${kind}: subgroups that were not asked for are not tried again`, async () => {
    const { engine } = await loadEngine(kind, { realm: unfit("E_WRONG_RESULTS", true), options: { subgroups: false } });
    assert.deepEqual(devices, [""]);
    assert.deepEqual(engine.info.notes, ["the CPU computes: E_WRONG_RESULTS 1"]);
    await engine.dispose();
  });

  test(`${kind}: other errors are the caller's`, async () => {
    await assert.rejects(loadEngine(kind, { realm: unfit("E_OUT_OF_GPU_MEMORY", true) }), { code: "E_OUT_OF_GPU_MEMORY" });
    assert.equal(devices.length, 1);
  });
}
