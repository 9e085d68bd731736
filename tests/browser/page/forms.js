// The module of grammars beside the engine, as the package joins them: for Node and for pages.

/** Makes forms for the tokens of an engine's model. */
export function compilerOf(grammar, engine) {
  const { pieces, lengths, special, ends } = engine.tokenTable();
  return new grammar.Compiler(pieces, lengths, special, ends, (text) => engine.continuation(text));
}

/** A form as the engine asks it; `ask` names the words that may come. */
export function constraintOf(form, ask = () => null) {
  const names = ["mask", "commit", "rollback", "forced", "isAccepting", "isOver"];
  const ready = () => {
    const question = form.question();
    if (question === undefined) return undefined;
    return Promise.resolve(ask(question.text, question.tokens)).then((words) => form.answer(words ?? undefined));
  };
  return {
    ...Object.fromEntries(names.map((name) => [name, (argument) => form[name](argument)])),
    ready,
    fork: () => constraintOf(form.fork(), ask),
  };
}

/** The tokens of a mask. */
export function tokensOf(mask) {
  const tokens = [];
  mask.forEach((word, at) => {
    for (let bit = 0; bit < 32; bit += 1) if ((word >>> bit) & 1) tokens.push(32 * at + bit);
  });
  return tokens;
}

/** Walks through what schemas allow, the same way in every run: milliseconds of each mask, schemas compiled and refused. */
export function walk(compiler, schemas, steps) {
  const times = [];
  const refused = [];
  let compiled = 0;
  for (const schema of schemas) {
    let form;
    try {
      form = compiler.compile(JSON.stringify({ type: "json_schema", schema }));
    } catch ({ code, keyword, path }) {
      refused.push({ code, keyword, path });
      continue;
    }
    compiled += 1;
    let pick = 1;
    for (let step = 0; step < steps; step += 1) {
      const forced = form.forced();
      if (form.isOver()) break;
      if (forced.length > 0) {
        forced.forEach((token) => form.commit(token));
        continue;
      }
      const begun = performance.now();
      const mask = form.mask();
      times.push(performance.now() - begun);
      const tokens = tokensOf(mask);
      pick = (Math.imul(pick, 1664525) + 1013904223) >>> 0;
      form.commit(tokens[pick % tokens.length]);
    }
    form.free();
  }
  times.sort((a, b) => a - b);
  return { times, compiled, refused };
}
