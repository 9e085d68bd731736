import type { VNode } from "preact";
import { count, milliseconds, rate } from "../format.js";
import type { Stats } from "../state/message.js";

/** Speed and counts of an answer, live while it is written. */
export function StatsLine({ stats }: { readonly stats: Stats | null }): VNode | null {
  if (!stats) return null;
  const { tokensPerSecond, ttftMs, tokens, promptTokens, reusedTokens } = stats;
  return (
    <p class="stats">
      {tokensPerSecond !== null && (
        <span title="Tokens written per second">
          <strong>{rate(tokensPerSecond)}</strong>
        </span>
      )}
      {ttftMs !== null && <span title="Time from sending to the first token">first token {milliseconds(ttftMs)}</span>}
      <span title="Tokens of the answer">{count(tokens)} tokens</span>
      {promptTokens !== null && (
        <span title="Tokens read; those still in memory from the turn before are not read again">
          {count(promptTokens)} read{reusedTokens ? `, ${count(reusedTokens)} from memory` : ""}
        </span>
      )}
    </p>
  );
}
