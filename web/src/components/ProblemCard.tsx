import type { ComponentChildren, VNode } from "preact";
import type { Problem } from "../engine/problem.js";
import { Icon } from "./Icon.js";

/** What is wrong and what to do, with the code for those who search for it. */
export function ProblemCard(props: { readonly problem: Problem; readonly children?: ComponentChildren }): VNode {
  const { code, title, what, todo } = props.problem;
  return (
    <section class="problem" role="alert">
      <Icon name="warn" size={22} />
      <div>
        <h2>{title}</h2>
        <p>{what}</p>
        <p class="todo">{todo}</p>
        <footer>
          {props.children}
          <code>{code}</code>
        </footer>
      </div>
    </section>
  );
}
