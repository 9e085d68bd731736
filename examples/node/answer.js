// node answer.js MODEL PROMPT
// MODEL is a path, an address or a catalogue name (smollm2-135m).
import { Goldcrest } from "goldcrest";

const [model = "smollm2-135m", prompt = "Why is the sky blue?"] = process.argv.slice(2);
const engine = await Goldcrest.load(model, {
  onProgress: ({ phase, loaded, total }) => process.stderr.write(`\r${phase} ${total ? Math.floor((100 * loaded) / total) : 0} %   `),
});
process.stderr.write(`\r${engine.info.model.name} on ${engine.info.adapter.name}\n`);

// Base models have no chat template: they go on with the text.
const request = { stream: true, max_tokens: 100 };
const stream = engine.info.model.chatTemplate
  ? await engine.chat.completions.create({ ...request, messages: [{ role: "user", content: prompt }] })
  : await engine.completions.create({ ...request, prompt });
for await (const { choices } of stream) process.stdout.write(choices[0].delta?.content ?? choices[0].text ?? "");
process.stdout.write("\n");
await engine.dispose();
