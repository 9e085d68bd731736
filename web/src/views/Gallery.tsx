import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import { gallery, type Page } from "../engine/gallery.js";
import { method } from "../state/panels.js";
import { MethodPage } from "./MethodPage.js";

/** The methods' pages, one of which is open; `onOpen` is told of each that is. `children` stand behind the open one. */
export function Gallery({ onOpen, children }: { readonly onOpen: (page: Page) => void; readonly children: ComponentChildren }): VNode {
  const groups = useSignal<Awaited<ReturnType<typeof gallery>>>([]);
  const open = groups.value.flatMap((group) => group.pages).find((page) => page.name === method.value);
  useEffect(() => void gallery().then((found) => (groups.value = found)), []);
  useEffect(() => {
    if (open) onOpen(open);
  }, [open]);
  return (
    <>
      <div class="field">
        <label for="gallery">Method</label>
        <select id="gallery" value={open?.name ?? ""} onChange={(event) => (method.value = event.currentTarget.value || null)}>
          <option value="">Choose one to read about it, with an example</option>
          {groups.value.map(({ title, pages }) => (
            <optgroup key={title} label={title}>
              {pages.map((page) => (
                <option key={page.name} value={page.name}>
                  {page.title}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </div>
      {open && (
        <>
          <MethodPage page={open} />
          {children}
        </>
      )}
    </>
  );
}
