// Writes docs/api.md from the declarations that users get. With --check it only says whether the page is current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = fileURLToPath(new URL("../../docs/api.md", import.meta.url));
const SECTIONS = [
  ["Loading", ["goldcrest", "types"]],
  ["The engine", ["engine"]],
  ["Requests and answers", ["api/types"]],
  ["Errors", ["errors"]],
];
/** What only the package itself uses. */
const INTERNAL = new Set(["goldcrestFor", "Planner", "aborted", "invalidParameter", "notAvailable", "toGoldcrestError"]);

/** The exported declarations of a file, each with the comment before it. */
function declarations(file) {
  const text = readFileSync(`${root}dist/${file}.d.ts`, "utf8");
  const found = text.matchAll(/(\/\*\*(?:(?!\*\/)[^])*\*\/\n)?^export (?:declare )?(?:interface|class|type|const|function) (\w+)[^]*?(?=^\/\*\*|^export |^declare |^import |(?![^]))/gm);
  return Array.from(found, ([whole, comment = "", name]) => ({ name, comment, code: whole.slice(comment.length).trim() }));
}

function prose(comment) {
  return comment
    .replace(/^\/\*\*|\*\/\s*$/g, "")
    .replace(/^ *\* ?/gm, "")
    .replace(/\{@link (?:[\w.]+\.)?(\w+)\}/g, "`$1`")
    .trim();
}

const parts = ["# The npm package's API", "Made by `npm run api` from the declarations; `npm test` compares."];
for (const [title, files] of SECTIONS) {
  parts.push(`## ${title}`);
  for (const { name, comment, code } of files.flatMap(declarations)) {
    if (INTERNAL.has(name)) continue;
    const shown = code.replace(/^export (declare )?/, "").replace(/\n *#private;|\n *private constructor\(.*\);/g, "");
    parts.push(`### \`${name}\``, prose(comment), `\`\`\`ts\n${shown}\n\`\`\``);
  }
}
const text = `${parts.join("\n\n")}\n`;

if (!process.argv.includes("--check")) writeFileSync(page, text);
else if (readFileSync(page, "utf8") !== text) {
  console.error("docs/api.md is out of date: run `npm run api`");
  process.exit(1);
}
