/** The pages of `docs/methods`, by the path of each: a part of the program that is fetched when the first page is opened. */
export const PAGES: Readonly<Record<string, string>> = import.meta.glob<string>("../../../docs/methods/*/*.md", { query: "?raw", import: "default", eager: true });
