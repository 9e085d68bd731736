import type { ModelPlan } from "goldcrest";
import { bytes } from "../format.js";

/** Whether a model will run here, and how sure that is. */
export interface Verdict {
  readonly level: "good" | "care" | "bad";
  readonly title: string;
  readonly because: string;
}

const GB = 1e9;

/**
 * What can be said before a download. Storage is known; memory of the graphics card is not, as browsers hide it, so the
 * sentence says what is needed and where that is usual.
 */
export function verdict(plan: ModelPlan, deviceMemory: number | undefined): Verdict {
  const { download, memory, adapter } = plan;
  if (download.fits === false) {
    const free = download.free === null ? "less" : bytes(download.free);
    return {
      level: "bad",
      title: "Does not fit into storage",
      because: `${bytes(download.remaining)} are still to be fetched, and the browser gives this page ${free}. Delete a cached model, or free space on the disk.`,
    };
  }
  if (adapter === null) {
    return {
      level: "care",
      title: "Fits, but runs on the processor",
      because: "This browser offers no WebGPU, so the processor computes: the same answers, only slower.",
    };
  }
  const need = bytes(memory.total);
  // `deviceMemory` is the machine's RAM, rounded down and never above 8; half of it is what a tab may hope for.
  if (deviceMemory !== undefined && memory.total > (deviceMemory * GB) / 2) {
    return {
      level: deviceMemory < 8 ? "bad" : "care",
      title: deviceMemory < 8 ? "Will probably not fit" : "May not fit",
      because: `It needs ${need}; this device reports ${deviceMemory} GB of memory for everything. A shorter context needs less.`,
    };
  }
  if (memory.total > 3 * GB) {
    return {
      level: "care",
      title: "Fits on large graphics cards",
      because: `It needs ${need} of graphics memory. Browsers do not say how much there is; a shorter context needs less.`,
    };
  }
  return {
    level: "good",
    title: "Fits",
    because:
      memory.total > GB
        ? `It needs ${need}. Browsers do not say how much graphics memory there is, but most computers have that.`
        : `It needs ${need}. Browsers do not say how much graphics memory there is, but nearly every device has that.`,
  };
}
