import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { ProgressPace } from "../dist/core/pace.js";
import { subgroupsAsked, useSubgroups } from "../dist/gpu/subgroups.js";
import { VERSION, type Progress } from "../dist/index.js";
import { rest } from "./load.js";

test("the version is that of the package and of the workspace", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  const workspace = await readFile(new URL("../../Cargo.toml", import.meta.url), "utf8");
  assert.equal(VERSION, manifest.version);
  assert.equal(VERSION, /^version = "(.*)"$/m.exec(workspace)?.[1]);
});

test("progress comes at most about 20 times a second, and the last of each phase comes for sure", async () => {
  const seen: Progress[] = [];
  const pace = new ProgressPace((progress) => seen.push(progress));
  for (let step = 1; step <= 200; step += 1) {
    pace.report({ phase: "download", loaded: step, total: 200 });
    pace.report({ phase: "upload", loaded: step, total: 200 });
    await rest(1);
  }
  assert.ok(seen.length >= 3 && seen.length <= 14, `${seen.length} reports`);
  pace.flush();
  for (const phase of ["download", "upload"]) assert.equal(seen.filter((one) => one.phase === phase).at(-1)?.loaded, 200);
  const before = seen.length;
  await rest(120);
  assert.equal(seen.length, before);
});

test("devices are asked for with subgroups where the adapter has them, once, and otherwise as they were", async () => {
  const asked: unknown[] = [];
  class GPUAdapter {
    constructor(readonly features: ReadonlySet<string>) {}
    async requestDevice(descriptor?: object): Promise<string> {
      asked.push(descriptor);
      return "device";
    }
  }
  useSubgroups(true, { GPUAdapter });
  useSubgroups(true, { GPUAdapter });
  useSubgroups(true, {});
  assert.equal(subgroupsAsked({ GPUAdapter }), false);
  assert.equal(await new GPUAdapter(new Set(["subgroups", "shader-f16"])).requestDevice({ label: "x", requiredFeatures: ["shader-f16"] }), "device");
  assert.equal(subgroupsAsked({ GPUAdapter }), true);
  await new GPUAdapter(new Set(["shader-f16"])).requestDevice();
  useSubgroups(false, { GPUAdapter });
  await new GPUAdapter(new Set(["subgroups"])).requestDevice();
  assert.equal(subgroupsAsked({ GPUAdapter }), false);
  assert.deepEqual(asked, [{ label: "x", requiredFeatures: ["shader-f16", "subgroups"] }, { requiredFeatures: [] }, { requiredFeatures: [] }]);
});
