import type { VNode } from "preact";
import { Icon, type IconName } from "../components/Icon.js";
import { Logo } from "../components/Logo.js";
import { clear, messages } from "../state/conversation.js";
import { stage } from "../state/model.js";
import { panel, tokenView, type Panel } from "../state/panels.js";
import { nextTheme, theme } from "../state/theme.js";

const THEME_ICON = { system: "auto", light: "sun", dark: "moon" } as const;

/** The bar at the top: where one is, and the way to everything else. */
export function TopBar(): VNode {
  const ready = stage.value.at === "ready";
  return (
    <header class="topbar">
      <div class="brand">
        <Logo size={30} />
        <span>Goldcrest</span>
      </div>
      {stage.value.at === "ready" && (
        <button type="button" class="chip" onClick={() => (panel.value = "models")} title="Models">
          <i class="pulse" aria-hidden="true" />
          <span>{stage.value.choice.title}</span>
          <Icon name="down" size={14} />
        </button>
      )}
      <nav aria-label="Tools" class={ready ? undefined : "labelled"}>
        {ready && messages.value.length > 0 && <Tool icon="new" label="New conversation" act={clear} />}
        {ready && (
          <button
            type="button"
            class="ghost"
            aria-pressed={tokenView.value}
            aria-label="Token view"
            title="Token view: how sure the model was of each token"
            onClick={() => (tokenView.value = !tokenView.value)}
          >
            <Icon name="tokens" />
          </button>
        )}
        {ready && <Opens icon="prompt" label="Raw prompt" what="prompt" />}
        {ready && <Opens icon="methods" label="Methods" what="methods" />}
        {!ready && <Opens icon="models" label="Models" what="models" />}
        <Opens icon="settings" label="Settings" what="settings" />
        <Opens icon="device" label="This device" what="device" />
        <Tool icon={THEME_ICON[theme.value]} label={`Colours: ${theme.value}`} act={nextTheme} />
      </nav>
    </header>
  );
}

function Opens(props: { readonly icon: IconName; readonly label: string; readonly what: Panel }): VNode {
  return <Tool icon={props.icon} label={props.label} act={() => (panel.value = props.what)} />;
}

function Tool(props: { readonly icon: IconName; readonly label: string; readonly act: () => void }): VNode {
  return (
    <button type="button" class="ghost" aria-label={props.label} title={props.label} onClick={props.act}>
      <Icon name={props.icon} />
      <span aria-hidden="true">{props.label}</span>
    </button>
  );
}
