/** What the stand-in model says, by a word of the question. */
const ANSWERS: readonly (readonly [RegExp, string])[] = [
  [
    /weekend|list/i,
    `A quiet weekend needs **less** than one thinks:

1. **Saturday morning.** Walk to the market without a list. Buy what smells good.
2. **Saturday afternoon.** Read sixty pages of a book that you once put down.
3. **Sunday.** Bake bread: it takes *four hours*, and asks for ten minutes of work.

> Leave the phone in a drawer. It will still be there on Monday.`,
  ],
  [
    /code|function|javascript/i,
    `Here is a function that turns a list around:

\`\`\`js
const reversed = (list) => list.map((_, at) => list.at(-1 - at));
\`\`\`

It leaves \`list\` itself as it was.

| input | output |
| --- | --- |
| \`[1, 2]\` | \`[2, 1]\` |
| \`[]\` | \`[]\` |`,
  ],
  [
    /evil|html/i,
    `<img src="https://tracker.example/pixel.png" onerror="window.harmed = true"> <script>window.harmed = true</script> ![a picture](https://tracker.example/picture.png) [click](javascript:window.harmed=true) done.`,
  ],
  [/long/i, Array.from({ length: 30 }, (_, n) => `Sentence ${n + 1} of a long answer goes on and on.`).join(" ")],
  [
    /./s,
    `The sky is blue because sunlight is a mix of **all colours**, and air does not treat them alike.

When light meets the tiny molecules of the air, the short waves, blue ones, are *scattered* in all directions far more than the long red ones. So blue comes to you from everywhere above.

In the evening the light has a longer way through the air. Most of the blue is lost on the way, and what is left paints the sunset red.`,
  ],
];

/** The answer to a prompt. */
export function answerTo(prompt: string): string {
  return ANSWERS.find(([about]) => about.test(prompt))?.[1] ?? "";
}

/** A text cut into pieces as a tokenizer would: a blank belongs to the word behind it. */
export function cut(text: string): string[] {
  return text.match(/ ?[\p{L}]{1,6}|\d|\n+| ?[^\p{L}\d\s]+| +/gu) ?? [];
}

const OTHERS = [" of", " a", " the", " and", " it", " light", " in", " so", ".", ","];

/** Chances that look like a model's: sure within words, less sure where a thought begins. Always the same for the same text. */
export function chances(piece: string, at: number, count: number): { text: string; logprob: number }[] {
  const noise = (Math.imul(at + 7, 2_654_435_761) >>> 0) / 2 ** 32;
  let rest = 1;
  const own = /^[\p{Ll}]/u.test(piece) ? 0.97 : Math.max(0.08, 1 - noise ** 1.5);
  const out = [{ text: piece, logprob: Math.log(own) }];
  rest -= own;
  for (let rank = 0; out.length < count; rank += 1) {
    const text = OTHERS[(at * 3 + rank) % OTHERS.length] ?? "";
    if (out.some((other) => other.text === text)) continue;
    rest *= 0.45;
    out.push({ text, logprob: Math.log(Math.max(rest, 1e-6)) });
  }
  return out.sort((a, b) => b.logprob - a.logprob);
}
