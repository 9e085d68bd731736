import { render } from "preact";
import { refreshCached } from "./state/cached.js";
import { applyTheme } from "./state/theme.js";
import "./styles/index.css";
import { App } from "./views/App.js";

applyTheme();
const root = document.getElementById("app");
if (root) render(<App />, root);
void refreshCached();

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  // After the page's own work: the copy for offline use is of no use to this visit.
  addEventListener("load", () => void navigator.serviceWorker.register("./sw.js", { scope: "./" }));
}
