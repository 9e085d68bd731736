import type { ModelSource } from "goldcrest";

/** A model that the page offers by name. */
export interface Offer {
  /** The package's name for it. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly licence: string;
  readonly bytes: number;
  /** Whether it was taught to answer; a base model goes on with a text. */
  readonly chats: boolean;
}

/** What the page offers before anything is asked of a network: sizes are those of the files. */
export const OFFERS: readonly Offer[] = [
  {
    name: "smollm2-135m",
    title: "SmolLM2 135M",
    about: "The smallest model that holds a conversation. Quick everywhere; do not trust its facts.",
    licence: "Apache-2.0",
    bytes: 98_362_432,
    chats: true,
  },
  {
    name: "gemma3-270m",
    title: "Gemma 3 270M",
    about: "A base model: it does not answer but goes on with your text, in many languages.",
    licence: "Gemma terms of use",
    bytes: 253_113_024,
    chats: false,
  },
];

/** The server that names and `hf:` addresses mean; a build for a network of its own names another. */
export const HUB: string | undefined = import.meta.env["VITE_HUB_URL"] || undefined;

/** What the user picked. */
export interface Choice {
  readonly source: ModelSource;
  readonly title: string;
  /** The host that the file comes from; `null` for a file of the user's. */
  readonly host: string | null;
}

/** An offer as a choice. */
export function offered(offer: Offer): Choice {
  return { source: offer.name, title: offer.title, host: hubHost() };
}

/** A file of the user's. */
export function ownFile(file: File): Choice {
  return { source: file, title: file.name, host: null };
}

/** An address that the user typed: `https://…` or `hf:…`; `null` if it is neither. */
export function address(text: string): Choice | null {
  const typed = text.trim();
  if (/^hf:[^/\s]+\/\S+$/.test(typed)) {
    return { source: typed, title: typed.slice(3), host: hubHost() };
  }
  try {
    const url = new URL(typed);
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    const file = url.pathname.split("/").pop();
    return { source: url, title: file ? decodeURIComponent(file) : url.host, host: url.host };
  } catch {
    return null;
  }
}

function hubHost(): string {
  return new URL(HUB ?? "https://huggingface.co", document.baseURI).host;
}
