/** How far back the speed of a download looks, in milliseconds: long enough to be calm, short enough to notice a stall. */
const WINDOW = 6000;

/** Bytes per second over the last seconds. */
export class Speed {
  readonly #samples: { readonly at: number; readonly loaded: number }[] = [];

  /** Notes how much is there now. */
  add(loaded: number, at = performance.now()): void {
    const last = this.#samples.at(-1);
    // Chunks arrive out of order and a restart may throw one away: then the old samples mean nothing.
    if (last && loaded < last.loaded) this.#samples.length = 0;
    this.#samples.push({ at, loaded });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW) this.#samples.shift();
  }

  /** The mean speed, or `null` before there is one. */
  bytesPerSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < 400) return null;
    return ((last.loaded - first.loaded) * 1000) / (last.at - first.at);
  }
}
