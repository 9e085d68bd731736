import type { ModelPlan } from "goldcrest";
import type { VNode } from "preact";
import { bytes, count } from "../format.js";

/** The memory that a model would use, as a bar of its parts. */
export function MemoryBar({ memory }: { readonly memory: ModelPlan["memory"] }): VNode {
  const parts = [
    { name: "Weights", size: memory.weights, kind: "weights" },
    { name: `Context of ${count(memory.contextLength)} tokens`, size: memory.kv, kind: "kv" },
    { name: "Working space", size: memory.scratch, kind: "scratch" },
  ];
  let x = 0;
  return (
    <div class="memory">
      <svg class="memory-bar" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ kind, size }) => {
          const width = (size / memory.total) * 1000;
          const bar = <rect key={kind} class={`part-${kind}`} x={x} y="0" width={width} height="12" />;
          x += width;
          return bar;
        })}
      </svg>
      <dl>
        {parts.map(({ name, size, kind }) => (
          <div key={kind}>
            <dt>
              <i class={`dot part-${kind}`} />
              {name}
            </dt>
            <dd>{bytes(size)}</dd>
          </div>
        ))}
        <div class="sum">
          <dt>Memory in all</dt>
          <dd>{bytes(memory.total)}</dd>
        </div>
      </dl>
    </div>
  );
}
