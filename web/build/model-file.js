import { existsSync } from "node:fs";
import { basename, join } from "node:path";

/** The hub's names of the models that the page offers, and what they are called in a folder of models. */
const NAMES = {
  "SmolLM2-135M-Instruct.Q4_1.gguf": "smollm2-135m.gguf",
  "gemma-3-270m-q4_k_m.gguf": "gemma3-270m.gguf",
};

/** The file of `folder` that a path on a hub means, by its own name or by the catalogue's. */
export function modelFile(folder, path) {
  const name = basename(path);
  const own = join(folder, name);
  return existsSync(own) || !(name in NAMES) ? own : join(folder, NAMES[name]);
}
