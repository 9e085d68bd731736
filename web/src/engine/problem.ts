import { GoldcrestError } from "goldcrest";
import { bytes } from "../format.js";

/** What went wrong, in words that help, and what to do. */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly what: string;
  readonly todo: string;
}

interface Advice {
  readonly title: string;
  readonly todo: string;
}

const ADVICE: Readonly<Record<string, Advice>> = {
  E_QUOTA: {
    title: "Not enough storage",
    todo: "Delete a cached model (button “Models” above), free space on the disk, or leave a private window: it gets little.",
  },
  E_NETWORK: {
    title: "The download broke off",
    todo: "Check the connection and resume: what has arrived is kept.",
  },
  E_STATUS: { title: "The server has no such file", todo: "Check the address. A model behind a login must be downloaded by hand and dropped here." },
  E_DEVICE_LOST: {
    title: "The graphics card was reset",
    todo: "Nothing is lost: continue, and the model is put back from this device's own copy. If it happens again, close other heavy tabs or choose a shorter context.",
  },
  E_OUT_OF_GPU_MEMORY: { title: "Too little graphics memory", todo: "Choose a shorter context length or a smaller model, or close other tabs." },
  E_TRAPPED: { title: "The engine stumbled", todo: "Try again: a fresh engine takes over. If it happens twice, please report it with the text from “This device”." },
  E_NOT_GGUF: { title: "This is no GGUF file", todo: "Goldcrest reads models in the GGUF format. Look for a file that ends in .gguf." },
  E_SIZE: { title: "The file is cut short or too long", todo: "Download the file again; if it comes from a server, its owner must repair it." },
  E_CHECKSUM: { title: "The file is damaged", todo: "It was thrown away. Download it again; if that fails too, the server's copy is not the one we know." },
  E_CACHE_CORRUPT: { title: "The stored copy is damaged", todo: "Go online, delete the model under “Models” and download it again." },
  E_READ: { title: "The file could not be read", todo: "Choose it again: the browser forgets files that were moved or changed." },
  E_UNKNOWN_MODEL: { title: "No model of that name", todo: "Give an address: https://… or hf:organisation/repository." },
  E_BAD_ADDRESS: { title: "That is no address of a model", todo: "Use https://host/model.gguf or hf:organisation/repository[:quant]." },
  E_NO_MATCH: { title: "The repository has no such file", todo: "Look at the list of files on the hub, and name one: hf:organisation/repository/file.gguf." },
  E_AMBIGUOUS: { title: "Several files fit", todo: "Say which: hf:organisation/repository:Q4_K_M." },
  E_WASM: { title: "The engine could not be started", todo: "Reload the page. If a policy of your network blocks WebAssembly, ask for it to be allowed." },
  E_WORKER: { title: "The engine's worker could not be started", todo: "Reload the page. Extensions that block scripts can be the reason." },
  E_VERSION: { title: "The page was updated meanwhile", todo: "Reload it, so that all parts are of one version." },
  E_PROMPT_TOO_LONG: { title: "The conversation is too long", todo: "Begin a new one, or load the model again with a longer context (under “Settings”)." },
};

/** Anything thrown, as a card. `null` for an abort, which somebody wanted. */
export function problem(thrown: unknown): Problem | null {
  if (thrown instanceof Error && thrown.name === "AbortError") return null;
  if (!(thrown instanceof GoldcrestError)) {
    return {
      code: "E_UNEXPECTED",
      title: "Something unexpected happened",
      what: sentence(thrown instanceof Error ? thrown.message : String(thrown)),
      todo: "Try again. If it stays, please report it with the text from “This device”.",
    };
  }
  const advice = ADVICE[thrown.code];
  const offline = thrown.code === "E_NETWORK" && !navigator.onLine;
  return {
    code: thrown.code,
    title: offline ? "You are offline" : (advice?.title ?? "That did not work"),
    what: sentence(thrown.message) + room(thrown),
    todo: offline
      ? "Models that are on this device already work without a network. Connect to fetch another; what has arrived is kept."
      : (advice?.todo ?? sentence(thrown.help ?? "Try again, or choose another model.")),
  };
}

function room({ code, details }: GoldcrestError): string {
  const { needed, free } = details ?? {};
  if (code !== "E_QUOTA" || typeof needed !== "number" || typeof free !== "number") return "";
  return ` ${bytes(needed)} are needed, ${bytes(free)} are free.`;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
