import type { SelfTestReport } from "goldcrest";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VNode } from "preact";
import { CopyButton } from "../components/CopyButton.js";
import { Icon } from "../components/Icon.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { Sheet } from "../components/Sheet.js";
import { deviceFacts, reportText, type Fact } from "../engine/device.js";
import { problem, type Problem } from "../engine/problem.js";
import { writing } from "../state/conversation.js";
import { engine } from "../state/model.js";

/** What computes here, whether it computes right, and all of it as text for an issue. */
export function DevicePanel(): VNode {
  const facts = useSignal<readonly Fact[]>([]);
  const test = useSignal<SelfTestReport | null>(null);
  const testing = useSignal(false);
  const failed = useSignal<Problem | null>(null);
  const now = engine();
  useEffect(() => {
    void deviceFacts(now).then((found) => (facts.value = found));
  }, [now]);

  const run = async (): Promise<void> => {
    if (!now) return;
    testing.value = true;
    failed.value = null;
    try {
      test.value = await now.selftest();
    } catch (thrown) {
      failed.value = problem(thrown);
    }
    testing.value = false;
  };
  return (
    <Sheet title="This device" wide>
      <dl class="facts">
        {facts.value.map(([name, value], at) => (
          <div key={at}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <section class="self-test" aria-live="polite">
        <h3>Self-test</h3>
        {now ? (
          <p class="quiet">Runs every kind of kernel on known numbers: drivers that compute wrongly are found here.</p>
        ) : (
          <p class="quiet">Load a model first: the test runs on its engine.</p>
        )}
        {test.value && <Result report={test.value} />}
        {failed.value && <ProblemCard problem={failed.value} />}
      </section>
      <footer class="sheet-foot">
        <button type="button" class="button" disabled={!now || testing.value || writing.value} onClick={() => void run()}>
          <Icon name="check" /> {testing.value ? "Testing…" : "Run the self-test"}
        </button>
        <CopyButton wide text={() => reportText(facts.value, test.value)} label="Copy for an issue" />
      </footer>
    </Sheet>
  );
}

function Result({ report }: { readonly report: SelfTestReport }): VNode {
  const rows = outcomes(report);
  const wrong = rows.filter(({ ok }) => !ok);
  return (
    <>
      <p class={wrong.length ? "verdict bad" : "verdict good"}>
        <Icon name={wrong.length ? "warn" : "check"} />
        <span>{wrong.length ? `${wrong.length} of ${rows.length} are wrong: please report this.` : `All ${rows.length} are right.`}</span>
      </p>
      <ul class="outcomes">
        {rows.map(({ name, ok }) => (
          <li key={name} class={ok ? "ok" : "wrong"}>
            {name}
            <span class="hidden">{ok ? " is right" : " is wrong"}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The parts of a report that passed or failed, wherever in it they stand. */
function outcomes(report: unknown): { name: string; ok: boolean }[] {
  if (typeof report !== "object" || report === null) return [];
  const { ok, format, name } = report as { ok?: unknown; format?: unknown; name?: unknown };
  const title = format ?? name;
  if (typeof ok === "boolean" && typeof title === "string") return [{ name: title, ok }];
  return Object.values(report).flatMap(outcomes);
}
