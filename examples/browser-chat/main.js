import { Goldcrest } from "goldcrest";

const [load, status, log, ask, text, stop] = ["load", "status", "log", "ask", "text", "stop"].map((id) => document.getElementById(id));
const source = new URLSearchParams(location.search).get("model") ?? "smollm2-135m";
const messages = [];
let engine;
let control;

load.onclick = async () => {
  load.disabled = true;
  try {
    engine = await Goldcrest.load(source, {
      onProgress: ({ phase, loaded, total }) => (status.textContent = `${phase} ${total ? Math.floor((100 * loaded) / total) : 0} %`),
    });
    status.textContent = `${engine.info.model.name} on ${engine.info.adapter.name}`;
    load.hidden = true;
    ask.hidden = false;
    text.focus();
  } catch (error) {
    status.textContent = `${error.code}: ${error.message}. ${error.help ?? ""}`;
    load.disabled = false;
  }
};

ask.onsubmit = async (event) => {
  event.preventDefault();
  if (control) return;
  messages.push({ role: "user", content: text.value });
  write("user").textContent = text.value;
  text.value = "";
  const line = write("assistant");
  control = new AbortController();
  stop.disabled = false;
  try {
    const stream = await engine.chat.completions.create({ messages, stream: true, signal: control.signal });
    for await (const chunk of stream) {
      line.textContent += chunk.choices[0].delta.content ?? "";
      if (chunk.timings) status.textContent = `${chunk.timings.tokens_per_second.toFixed(1)} tokens a second`;
    }
  } catch (error) {
    if (error.name !== "AbortError") status.textContent = `${error.code}: ${error.message}. ${error.help ?? ""}`;
  }
  messages.push({ role: "assistant", content: line.textContent });
  control = undefined;
  stop.disabled = true;
};

stop.onclick = () => control?.abort();

function write(role) {
  const line = document.createElement("p");
  line.className = role;
  log.append(line);
  return line;
}
