import type { VNode } from "preact";
import { stage } from "../state/model.js";
import { panel } from "../state/panels.js";
import { Chat } from "./Chat.js";
import { DevicePanel } from "./DevicePanel.js";
import { MethodsPanel } from "./MethodsPanel.js";
import { ModelsPanel } from "./ModelsPanel.js";
import { PromptPanel } from "./PromptPanel.js";
import { SettingsPanel } from "./SettingsPanel.js";
import { TopBar } from "./TopBar.js";
import { Welcome } from "./Welcome.js";

const PANELS = { settings: SettingsPanel, prompt: PromptPanel, device: DevicePanel, models: ModelsPanel, methods: MethodsPanel };

/** The page. */
export function App(): VNode {
  const Open = panel.value && PANELS[panel.value];
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar />
      {stage.value.at === "ready" ? <Chat engine={stage.value.engine} /> : <Welcome />}
      {Open && <Open />}
    </>
  );
}
