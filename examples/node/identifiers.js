// node identifiers.js MODEL
// Code whose members exist: behind "user." the model can only write a member that a user has.
import { Goldcrest } from "goldcrest";

const MEMBERS = ["full_name", "date_of_birth", "shoe_size"];
const engine = await Goldcrest.load(process.argv[2] ?? "smollm2-135m");
const prompt = "def greet(user):\n    print(\"Hello \" + user.full_name)\n\ndef describe(user):\n    print(";
const { choices } = await engine.completions.create({
  prompt,
  max_tokens: 40,
  temperature: 0,
  // A language server would be asked here; a promise is waited for.
  constraint: (text) => (text.endsWith("user.") ? MEMBERS : null),
});
process.stdout.write(`${prompt}${choices[0].text}\n`);
await engine.dispose();
