import { GoldcrestError } from "./errors.js";

/** This package's version. Page, worker and wasm refuse each other when theirs differ. */
export const VERSION = "0.1.0";

/** The error of two sides that are of different versions. */
export function versionMismatch(worker: string): GoldcrestError {
  return new GoldcrestError("E_VERSION", `the worker is of version ${worker}, the page of ${VERSION}`, {
    help: "serve the worker's file of the same version (option workerUrl), and have caches let go of the old one",
    details: { found: worker, expected: VERSION },
  });
}
