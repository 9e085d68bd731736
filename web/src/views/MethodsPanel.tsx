import type { StrategySummary } from "goldcrest";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { Bars } from "../components/Bars.js";
import { Icon } from "../components/Icon.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { Sheet } from "../components/Sheet.js";
import { exampleOf } from "../engine/example.js";
import { EXAMPLES } from "../engine/examples.js";
import type { Page } from "../engine/gallery.js";
import { runMethod, type Found, type Trial } from "../engine/method.js";
import { problem, type Problem } from "../engine/problem.js";
import { writing } from "../state/conversation.js";
import { engine } from "../state/model.js";
import { Gallery } from "./Gallery.js";
import { SecondModel } from "./SecondModel.js";
import { Stages } from "./Stages.js";

/** Every decoding strategy on the loaded model, and what a sampler makes of the next token. */
export function MethodsPanel(): VNode {
  const listed = useSignal<readonly StrategySummary[]>([]);
  const name = useSignal("sample");
  const parameters = useSignal("");
  const prompt = useSignal("The capital of France is now Lyon. What is the capital of France?");
  const reference = useSignal("What is the capital of France?");
  const word = useSignal("");
  const schema = useSignal("");
  const labels = useSignal("");
  const record = useSignal(false);
  const settings = useSignal("");
  const example = useSignal<Trial | null>(null);
  const chain = useSignal("top_k(40) | top_p(0.9) | temp(0.7) | draw");
  const runs = useSignal<readonly Run[]>([]);
  const found = useSignal<Found | null>(null);
  const failed = useSignal<Problem | null>(null);
  const running = useSignal<AbortController | null>(null);
  const now = useRef(engine());
  const answer = useRef<HTMLElement>(null);
  useEffect(() => {
    void now.current?.strategies().then((found) => (listed.value = found));
    return () => running.value?.abort();
  }, []);

  const run = async (): Promise<void> => {
    if (!now.current) return;
    const control = new AbortController();
    running.value = control;
    runs.value = [];
    found.value = null;
    failed.value = null;
    try {
      const asked = { name: name.value, parameters: parameters.value, prompt: prompt.value, reference: reference.value, word: word.value, schema: schema.value, labels: labels.value, record: record.value, settings: settings.value };
      found.value = await runMethod(now.current, asked, control.signal, (text, guessed) => {
        runs.value = joined(runs.value, { text, guessed });
      });
    } catch (thrown) {
      failed.value = problem(thrown);
    }
    running.value = null;
  };
  const fill = (trial: Trial): void => {
    name.value = trial.name;
    const fields = { parameters, settings, prompt, reference, word, schema, labels } as const;
    for (const [key, field] of Object.entries(fields)) field.value = trial[key as keyof typeof fields];
    record.value = trial.record;
  };
  const opened = ({ markdown }: Page): void => {
    const { trial, chain: stages } = exampleOf(markdown);
    example.value = trial;
    if (trial) fill(trial);
    if (stages !== null) chain.value = stages;
  };
  const take = (trial: Trial): void => {
    fill(trial);
    answer.current?.scrollIntoView({ block: "center" });
    void run();
  };
  const about = listed.value.find((one) => one.name === name.value)?.summary;
  return (
    <Sheet title="Methods" wide>
      <p class="quiet">A strategy decides how an answer is made from the model's rows. Every one of them runs here, on your model.</p>
      {!now.current && <p>Nothing runs until a model is started; the pages can be read.</p>}
      <section class="presets" aria-label="Examples">
        {EXAMPLES.map(({ title, pair, trial }) => (
          <button
            key={title}
            type="button"
            class="button"
            disabled={!now.current || running.value !== null || writing.value}
            title={pair ? "Works with the second model" : undefined}
            onClick={() => take(trial)}
          >
            {title}
          </button>
        ))}
      </section>
      <Gallery onOpen={opened}>
        {example.value && (
          <div class="presets">
            <button type="button" class="button primary" disabled={!now.current || running.value !== null || writing.value} onClick={() => example.value && take(example.value)}>
              <Icon name="play" /> Run the example
            </button>
          </div>
        )}
      </Gallery>
      <div class="field">
        <label for="method">Strategy</label>
        <select id="method" value={name.value} onChange={(event) => (name.value = event.currentTarget.value)}>
          {listed.value.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name}
            </option>
          ))}
        </select>
        <p>{about}</p>
      </div>
      <Line id="method-parameters" label="Parameters" hint="key=value, parted by commas; nothing takes the defaults" value={parameters} />
      <Line id="method-settings" label="Sampler" hint="name=value, parted by commas, as temperature=0, top_k=40; nothing takes the defaults" value={settings} />
      <Area id="method-prompt" label="Prompt" value={prompt} />
      <Area id="method-reference" label="Reference" hint="What contrasts compare with: the question without its document, a leading question" value={reference} />
      <Line id="method-word" label="Scorer" hint="A word; searches that want a scorer prefer answers that have it often" value={word} />
      <Area id="method-schema" label="JSON schema" hint="The answer is held to it token by token, without a strategy" value={schema} />
      <Line id="method-labels" label="Labels" hint="Parted by commas: the prompt is not answered, but gets the likeliest" value={labels} />
      <div class="field check">
        <input id="method-record" type="checkbox" checked={record.value} onChange={(event) => (record.value = event.currentTarget.checked)} />
        <label for="method-record">Record the answer, for <code>goldcrest verify</code> to repeat it</label>
      </div>
      {now.current && <SecondModel engine={now.current} busy={running.value !== null || writing.value} />}
      <div class="presets">
        {running.value ? (
          <button type="button" class="button" onClick={() => running.value?.abort()}>
            <Icon name="stop" /> Stop
          </button>
        ) : (
          <button type="button" class="button primary" disabled={!now.current || writing.value} onClick={() => void run()}>
            <Icon name="play" /> Run
          </button>
        )}
      </div>
      <section ref={answer} aria-live="polite" aria-busy={running.value !== null} class="method-answer">
        {runs.value.length > 0 && (
          <pre class="raw">
            {runs.value.map(({ text, guessed }, at) => (guessed ? <mark key={at}>{text}</mark> : text))}
          </pre>
        )}
        {failed.value && <ProblemCard problem={failed.value} />}
        {found.value && <Facts found={found.value} />}
      </section>
      {now.current && <Stages engine={now.current} prompt={prompt.value} chain={chain} busy={running.value !== null || writing.value} />}
    </Sheet>
  );
}

/** What a method says of itself, the labels, and the record to keep. */
function Facts({ found: { report, record, labels } }: { readonly found: Found }): VNode {
  const url = useMemo(() => record && URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: "application/json" })), [record]);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  return (
    <>
      {labels.length > 0 && <Bars top={labels} />}
      {report && (
        <dl class="facts">
          {Object.entries(report).map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {url && (
        <a class="button" href={url} download="record.json">
          Save the record
        </a>
      )}
    </>
  );
}

/** A part of the text whose tokens were all guessed and accepted, or all not. */
interface Run {
  readonly text: string;
  readonly guessed: boolean;
}

/** The text with a piece more. */
function joined(runs: readonly Run[], piece: Run): readonly Run[] {
  const last = runs.at(-1);
  if (piece.text === "") return runs;
  if (last?.guessed !== piece.guessed) return [...runs, piece];
  return [...runs.slice(0, -1), { text: last.text + piece.text, guessed: piece.guessed }];
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: { value: string };
}

function Line({ id, label, hint, value }: FieldProps): VNode {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} type="text" value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
      {hint && <p>{hint}</p>}
    </div>
  );
}

function Area({ id, label, hint, value }: FieldProps): VNode {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} rows={2} value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
      {hint && <p>{hint}</p>}
    </div>
  );
}
