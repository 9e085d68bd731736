// Checked by the compiler, never run: what users write has the types that the documentation promises.
import { Goldcrest, GoldcrestError, type ChatCompletion, type ChatCompletionChunk, type Completion, type CompletionChunk, type Engine } from "goldcrest";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function exactly<A, B>(_same: Equal<A, B>): void {}

export async function written(handle: FileSystemFileHandle, file: File, stream: ReadableStream<Uint8Array>): Promise<void> {
  for (const source of ["smollm2-135m", "hf:org/repo:Q4_K_M", new URL("https://host/m.gguf"), file, handle, stream, new ArrayBuffer(8)]) {
    await Goldcrest.load(source);
  }
  await using engine: Engine = await Goldcrest.load("smollm2-135m", {
    signal: AbortSignal.timeout(1000),
    onProgress: ({ phase, loaded, total, file: name }) => {
      exactly<typeof phase, "download" | "verify" | "upload" | "compile" | "ready">(true);
      exactly<[typeof loaded, typeof total, typeof name], [number, number, string | undefined]>(true);
    },
    worker: false,
    backend: "webgpu",
    contextLength: 2048,
  });
  // @ts-expect-error there is no such backend
  await Goldcrest.load("x", { backend: "cuda" });
  // @ts-expect-error a number is no source
  await Goldcrest.load(5);
  // @ts-expect-error there is no such option
  await Goldcrest.load("x", { contextLenght: 5 });

  const messages = [{ role: "user", content: "Hello" }] as const;
  const whole = await engine.chat.completions.create({ messages });
  exactly<typeof whole, ChatCompletion>(true);
  exactly<(typeof whole.choices)[number]["message"]["content"], string>(true);
  for await (const chunk of await engine.chat.completions.create({ messages, stream: true, top_k: 40, min_p: 0.1, seed: 1 })) {
    exactly<typeof chunk, ChatCompletionChunk>(true);
  }
  const either = await engine.chat.completions.create({ messages, stream: Math.random() < 0.5 });
  if ("choices" in either) exactly<typeof either, ChatCompletion>(true);
  // @ts-expect-error messages are needed
  await engine.chat.completions.create({});
  // @ts-expect-error there is no such role
  await engine.chat.completions.create({ messages: [{ role: "robot", content: "" }] });
  // @ts-expect-error a whole answer is no stream
  for await (const _ of await engine.chat.completions.create({ messages })) break;
  // @ts-expect-error there is no such parameter
  await engine.chat.completions.create({ messages, functions: [] });
  // @ts-expect-error a schema is needed
  await engine.chat.completions.create({ messages, response_format: { type: "json_schema" } });

  exactly<Awaited<ReturnType<typeof text>>, Completion>(true);
  async function text(): Promise<Completion> {
    return engine.completions.create({ prompt: [1, 2, 3], logprobs: 5 });
  }
  for await (const chunk of await engine.completions.create({ prompt: "x", stream: true })) exactly<typeof chunk, CompletionChunk>(true);
  const ids = await engine.tokenize("x", { addSpecial: true });
  exactly<typeof ids, number[]>(true);
  exactly<typeof engine.info.backend, "webgpu" | "cpu">(true);
  // @ts-expect-error what the engine says of itself cannot be changed
  engine.info.contextLength = 5;
  const { download } = await engine.plan("gemma3-270m", { contextLength: 4096 });
  exactly<typeof download.fits, boolean | null>(true);
  const error = new GoldcrestError("E_QUOTA", "full");
  exactly<typeof error.help, string | undefined>(true);
}
