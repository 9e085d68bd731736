/** A group of pages, by its folder. */
interface Group {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** A method's page. */
export interface Page {
  /** The method's name, as a link has it. */
  readonly name: string;
  readonly title: string;
  readonly markdown: string;
}

const GROUPS: Readonly<Record<string, string>> = {
  samplers: "Samplers",
  search: "Search",
  scored: "Several answers",
  contrast: "Contrasts",
  cascades: "Cascades",
  speculation: "Speculation",
  structured: "Structured output",
  scores: "Scores",
  records: "Records",
};

/** Every method's page in groups, in the order of the list above. */
export async function gallery(): Promise<readonly Group[]> {
  const { PAGES } = await import("./pages.js");
  const found = Object.entries(PAGES).map(([path, markdown]) => {
    const [folder = "", file = ""] = path.split("/").slice(-2);
    const title = /^# (.*)$/m.exec(markdown)?.[1] ?? file;
    return { folder, page: { name: file.replace(/\.md$/, "").replaceAll("-", "_"), title, markdown } };
  });
  return Object.entries(GROUPS).map(([folder, title]) => ({
    title,
    pages: found.filter((one) => one.folder === folder).map((one) => one.page),
  }));
}
