import type { VNode } from "preact";
import { Sheet } from "../components/Sheet.js";
import { count } from "../format.js";
import { load, stage } from "../state/model.js";
import { panel } from "../state/panels.js";
import { DEFAULTS, PRESETS, RANGES, change, settings, type RangeField, type Settings } from "../state/settings.js";

/** All settings, each with one line that says what it does. */
export function SettingsPanel(): VNode {
  return (
    <Sheet title="Settings">
      <section class="presets" aria-label="Presets">
        {PRESETS.map(({ name, values }) => (
          <button
            key={name}
            type="button"
            class="button"
            aria-pressed={Object.entries(values).every(([key, value]) => settings.value[key as keyof Settings] === value)}
            onClick={() => change(values)}
          >
            {name}
          </button>
        ))}
      </section>
      <div class="field">
        <label for="system">System prompt</label>
        <textarea
          id="system"
          rows={3}
          placeholder="You are a helpful gardener. Answer in one sentence."
          aria-describedby="system-about"
          value={settings.value.systemPrompt}
          onInput={(event) => change({ systemPrompt: event.currentTarget.value })}
        />
        <p id="system-about">Said to the model before the conversation: who it is, and how it should answer.</p>
      </div>
      {RANGES.map((field) => (
        <Range key={field.key} field={field} />
      ))}
      <div class="field">
        <label for="seed">Seed</label>
        <input
          id="seed"
          type="number"
          min={0}
          step={1}
          inputMode="numeric"
          placeholder="random"
          aria-describedby="seed-about"
          value={settings.value.seed ?? ""}
          onInput={(event) => {
            const value = event.currentTarget.valueAsNumber;
            change({ seed: Number.isSafeInteger(value) && value >= 0 ? value : null });
          }}
        />
        <p id="seed-about">The same seed gives the same answer again, on this device. Empty: a new one each time.</p>
      </div>
      <LoadSettings />
      <button type="button" class="button" onClick={() => (settings.value = DEFAULTS)}>
        Back to the defaults
      </button>
    </Sheet>
  );
}

function Range({ field }: { readonly field: RangeField }): VNode {
  const { key, label, explain, min, max, step, off } = field;
  const value = settings.value[key];
  const shown = off && value === off.at ? off.say : key === "maxTokens" ? `${count(value)} tokens` : String(value);
  return (
    <div class="field">
      <label for={key}>{label}</label>
      <output for={key}>{shown}</output>
      <input
        id={key}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-describedby={`${key}-about`}
        aria-valuetext={shown}
        onInput={(event) => change({ [key]: event.currentTarget.valueAsNumber })}
      />
      <p id={`${key}-about`}>{explain}</p>
    </div>
  );
}

/** What counts only when a model is loaded. */
function LoadSettings(): VNode {
  const now = stage.value;
  const { contextLength, backend } = settings.value;
  return (
    <fieldset>
      <legend>When a model is loaded</legend>
      <div class="field">
        <label for="context">Context length</label>
        <input
          id="context"
          type="number"
          min={64}
          step={64}
          inputMode="numeric"
          placeholder="automatic"
          aria-describedby="context-about"
          value={contextLength ?? ""}
          onChange={(event) => {
            const value = event.currentTarget.valueAsNumber;
            change({ contextLength: Number.isSafeInteger(value) && value > 0 ? value : null });
          }}
        />
        <p id="context-about">How many tokens of conversation the model keeps in mind. More needs more memory.</p>
      </div>
      <div class="field">
        <label for="backend">Computed by</label>
        <select
          id="backend"
          aria-describedby="backend-about"
          value={backend}
          onChange={(event) => change({ backend: event.currentTarget.value as Settings["backend"] })}
        >
          <option value="auto">whatever is best here</option>
          <option value="webgpu">the graphics card (WebGPU)</option>
          <option value="cpu">the processor</option>
        </select>
        <p id="backend-about">The answers are the same; the graphics card is faster.</p>
      </div>
      {now.at === "ready" && (
        <button
          type="button"
          class="button"
          onClick={() => {
            panel.value = null;
            void load(now.choice);
          }}
        >
          Load {now.choice.title} again with these
        </button>
      )}
    </fieldset>
  );
}
