import { Goldcrest } from "./dist/goldcrest/index.js";

const [file, fetchButton, status, form, text, out] = ["file", "fetch", "status", "form", "text", "out"].map((id) => document.getElementById(id));
let engine;

file.onchange = () => load(file.files[0]);
fetchButton.onclick = () => load("smollm2-135m");

async function load(source) {
  try {
    await engine?.dispose();
    engine = await Goldcrest.load(source, {
      onProgress: ({ phase, loaded, total }) => (status.textContent = `${phase} ${total ? Math.floor((100 * loaded) / total) : 0} %`),
    });
    status.textContent = `${engine.info.model.name} on ${engine.info.adapter.name}`;
    form.querySelector("button").disabled = false;
  } catch (error) {
    status.textContent = `${error.code}: ${error.message}. ${error.help ?? ""}`;
  }
}

form.onsubmit = async (event) => {
  event.preventDefault();
  out.textContent = "";
  const stream = await engine.completions.create({ prompt: text.value, max_tokens: 40, temperature: 0, stream: true });
  for await (const chunk of stream) out.textContent += chunk.choices[0].text;
  out.dataset.done = "";
};
