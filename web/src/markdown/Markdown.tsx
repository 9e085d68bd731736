import { marked, type Token, type Tokens } from "marked";
import { memo } from "preact/compat";
import type { ComponentChildren, VNode } from "preact";
import { CopyButton } from "../components/CopyButton.js";

/**
 * Markdown as elements. The text is parsed to tokens and each token becomes an element of a fixed list: what a model writes is
 * never read as HTML, loads nothing, and links only to the web, in a new tab. Models end lines where they mean to; `wrapped` is for texts
 * whose lines end where the file is full.
 */
export function Markdown({ text, wrapped = false }: { readonly text: string; readonly wrapped?: boolean }): VNode {
  const blocks = marked.lexer(text, { gfm: true, breaks: !wrapped });
  // Blocks that have not changed since the last token keep their elements: a long answer costs what its last paragraph does.
  return (
    <div class="prose">
      {blocks.map((block, at) => (
        <Block key={at} raw={block.raw} block={block} />
      ))}
    </div>
  );
}

const Block = memo(
  ({ block }: { readonly raw: string; readonly block: Token }) => <>{element(block, 0)}</>,
  (old, now) => old.raw === now.raw,
);

function all(tokens: readonly Token[] | undefined): ComponentChildren {
  return tokens?.map(element);
}

function element(token: Token, key: number): ComponentChildren {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return heading(token as Tokens.Heading, key);
    case "paragraph":
      return <p key={key}>{all(token.tokens)}</p>;
    case "blockquote":
      return <blockquote key={key}>{all(token.tokens)}</blockquote>;
    case "list":
      return list(token as Tokens.List, key);
    case "code":
      return code(token as Tokens.Code, key);
    case "table":
      return table(token as Tokens.Table, key);
    case "hr":
      return <hr key={key} />;
    case "strong":
      return <strong key={key}>{all(token.tokens)}</strong>;
    case "em":
      return <em key={key}>{all(token.tokens)}</em>;
    case "del":
      return <del key={key}>{all(token.tokens)}</del>;
    case "codespan":
      return <code key={key}>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br key={key} />;
    case "link":
      return link(token as Tokens.Link, key);
    case "image":
      return link(token as Tokens.Image, key);
    case "text":
      return token.tokens ? <span key={key}>{all(token.tokens)}</span> : (token as Tokens.Text).text;
    case "escape":
      return (token as Tokens.Escape).text;
    default:
      // HTML and whatever a later parser may know: the letters themselves.
      return token.raw;
  }
}

/** Headings of an answer lie below the page's own. */
function heading({ depth, tokens }: Tokens.Heading, key: number): VNode {
  if (depth <= 1) return <h2 key={key}>{all(tokens)}</h2>;
  if (depth === 2) return <h3 key={key}>{all(tokens)}</h3>;
  return <h4 key={key}>{all(tokens)}</h4>;
}

function list({ ordered, start, items }: Tokens.List, key: number): VNode {
  const entries = items.map((item, at) => (
    <li key={at}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label={item.checked ? "done" : "open"} />}
      {all(item.tokens)}
    </li>
  ));
  return ordered ? (
    <ol key={key} start={start || 1}>
      {entries}
    </ol>
  ) : (
    <ul key={key}>{entries}</ul>
  );
}

function code({ text, lang }: Tokens.Code, key: number): VNode {
  return (
    <figure key={key} class="code">
      <figcaption>
        <span>{lang || "text"}</span>
        <CopyButton text={() => text} label="Copy code" />
      </figcaption>
      <pre tabIndex={0} aria-label="Code">
        <code>{text}</code>
      </pre>
    </figure>
  );
}

function table({ header, rows }: Tokens.Table, key: number): VNode {
  return (
    <div key={key} class="table" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map((cell, at) => (
              <th key={at} scope="col">
                {all(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>{all(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Images become links too: to load one would tell its host who reads. */
function link({ href, text, tokens }: Tokens.Link | Tokens.Image, key: number): ComponentChildren {
  const label = tokens && tokens.length > 0 ? all(tokens) : text || href;
  if (!/^(https?|mailto):/i.test(href)) return <span key={key}>{label}</span>;
  return (
    <a key={key} href={href} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}
