import type { CachedModel } from "goldcrest";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { Sheet } from "../components/Sheet.js";
import { address, OFFERS, offered } from "../engine/catalogue.js";
import { ago, bytes } from "../format.js";
import { cached, refreshCached, removeCached, storage } from "../state/cached.js";
import { load, stage, unload } from "../state/model.js";
import { panel } from "../state/panels.js";

/** The models on this device, and the way to another one. */
export function ModelsPanel(): VNode {
  useEffect(() => void refreshCached(), []);
  const ready = stage.value.at === "ready";
  return (
    <Sheet title="Models on this device">
      {cached.value.length === 0 ? (
        <p class="quiet">None yet. A model that you download is kept here, in the browser's own storage, until you delete it.</p>
      ) : (
        <ul class="cached">
          {cached.value.map((model) => (
            <Row key={model.name} model={model} />
          ))}
        </ul>
      )}
      {storage.value && (
        <p class="quiet">
          {bytes(storage.value.used)} used by this page; the browser allows {bytes(storage.value.quota)}.
        </p>
      )}
      {ready && (
        <footer class="sheet-foot">
          <button
            type="button"
            class="button"
            onClick={() => {
              panel.value = null;
              void unload();
            }}
          >
            Choose another model
          </button>
        </footer>
      )}
    </Sheet>
  );
}

function Row({ model }: { readonly model: CachedModel }): VNode {
  const sure = useSignal(false);
  const offer = OFFERS.find(({ name }) => name === model.name);
  const title = offer?.title ?? fileName(model);
  const start = (): void => {
    panel.value = null;
    const choice = offer ? offered(offer) : address(model.source);
    if (choice) void load({ ...choice, title });
  };
  return (
    <li>
      <div>
        <strong>{title}</strong>
        <small>
          {model.complete ? bytes(model.size) : `${bytes(model.cached)} of ${bytes(model.size)}, unfinished`} · used {ago(model.lastUsed)}
        </small>
      </div>
      <button type="button" class="button" onClick={start}>
        <Icon name={model.complete ? "play" : "download"} /> {model.complete ? "Start" : "Resume"}
      </button>
      {sure.value ? (
        <button type="button" class="button danger" onClick={() => void removeCached(model.name)}>
          Really delete
        </button>
      ) : (
        <button type="button" class="ghost" aria-label={`Delete ${title}`} title="Delete" onClick={() => (sure.value = true)}>
          <Icon name="trash" />
        </button>
      )}
    </li>
  );
}

function fileName({ source, name }: CachedModel): string {
  return source.split("/").pop()?.split("?")[0] || name;
}
