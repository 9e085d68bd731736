import { useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { OFFERS, address, offered, ownFile, type Choice, type Offer } from "../engine/catalogue.js";
import { bytes } from "../format.js";
import { cached } from "../state/cached.js";
import { choose } from "../state/model.js";

/** The models to choose from. Nothing is fetched before one is chosen. */
export function ModelCards({ planning }: { readonly planning: Choice | null }): VNode {
  return (
    <section class="cards" aria-label="Choose a model" aria-busy={planning !== null}>
      {OFFERS.map((offer) => (
        <OfferCard key={offer.name} offer={offer} busy={planning?.source === offer.name} />
      ))}
      <OwnCard planning={planning} />
    </section>
  );
}

function OfferCard({ offer, busy }: { readonly offer: Offer; readonly busy: boolean }): VNode {
  const choice = offered(offer);
  const here = useComputed(() => cached.value.some(({ name, complete }) => complete && name === offer.name));
  return (
    <button type="button" class="card" disabled={busy} onClick={() => void choose(choice)}>
      <span class="card-head">
        <strong>{offer.title}</strong>
        {here.value ? <em class="badge here">on this device</em> : <em class="badge">{bytes(offer.bytes)}</em>}
      </span>
      <span class="card-text">{offer.about}</span>
      <small>{busy ? "Reading what it needs…" : `${offer.licence} · from ${choice.host}`}</small>
    </button>
  );
}

function OwnCard({ planning }: { readonly planning: Choice | null }): VNode {
  const typed = useSignal("");
  const wrong = useSignal(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    const choice = address(typed.value);
    wrong.value = choice === null;
    if (choice) void choose(choice);
  };
  return (
    <div class="card own">
      <span class="card-head">
        <strong>Your own model</strong>
        <em class="badge">.gguf</em>
      </span>
      <label class="drop">
        <Icon name="file" size={22} />
        <span>
          Drop a GGUF file anywhere, or <u>choose one</u>
        </span>
        <input
          type="file"
          class="hidden"
          accept=".gguf"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) void choose(ownFile(file));
          }}
        />
      </label>
      <form onSubmit={submit} class="address">
        <input
          type="text"
          inputMode="url"
          aria-label="Address of a model"
          placeholder="https://… or hf:org/repo:Q4_K_M"
          spellcheck={false}
          autocomplete="off"
          aria-invalid={wrong.value}
          aria-describedby={wrong.value ? "address-wrong" : undefined}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={planning !== null}>
          Look
        </button>
      </form>
      {wrong.value && (
        <small id="address-wrong" class="wrong" role="alert">
          That is no address: it begins with https:// or hf: and an organisation.
        </small>
      )}
    </div>
  );
}
