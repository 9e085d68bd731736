import type { VNode } from "preact";
import { Markdown } from "../markdown/Markdown.js";
import type { Page } from "../engine/gallery.js";

/** Parts of a page that are for those who call a method from a program; the form beside it says the same. */
const ELSEWHERE: ReadonlySet<string> = new Set(["Try it"]);

/** What a method does, when to take it, what it costs, and its paper: the page of the documentation itself. */
export function MethodPage({ page }: { readonly page: Page }): VNode {
  const [head = "", ...parts] = page.markdown.split(/^(?=## )/m);
  const shown = parts.filter((part) => !ELSEWHERE.has(/^## (.*)$/m.exec(part)?.[1] ?? ""));
  const calls = parts.filter((part) => !shown.includes(part));
  return (
    <article class="method-page" aria-label={page.title}>
      <Markdown wrapped text={[head, ...shown].join("")} />
      {calls.map((part, at) => (
        <details key={at}>
          <summary>From the command line and from JavaScript</summary>
          <Markdown wrapped text={part.replace(/^## .*\n/, "")} />
        </details>
      ))}
    </article>
  );
}
