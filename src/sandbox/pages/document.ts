/** Markup that is already safe to print; everything else is escaped by `html`. */
export interface Markup {
  readonly markup: string;
}

type Printable = Markup | string | number | null | undefined | readonly Printable[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text made safe for element content and for double-quoted attribute values. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function print(value: Printable): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  if ('markup' in value) return value.markup;
  return value.map(print).join('');
}

/** Template tag: every interpolated text is escaped unless it came out of `html` itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Printable[]): Markup {
  return {
    markup: parts.map((part, index) => part + (index < values.length ? print(values[index]) : '')).join(''),
  };
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --paper: #f6f5f1; --card: #ffffff;
  --line: #dedbd2; --accent: #285f4b; --accent-soft: #e3eee8; --warn: #9a4a12; --warn-soft: #fbeadb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e0; --soft: #a3abb5; --paper: #15181c; --card: #1e2227;
  --line: #343a42; --accent: #8fd0b4; --accent-soft: #21372e; --warn: #f0b283; --warn-soft: #3c2a1c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
.lead { color: var(--soft); margin: 0 0 1.5rem; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.list { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
.list > li + li { border-top: 1px solid var(--line); }
.row { display: grid; grid-template-columns: 9.5rem 1fr auto; gap: 0 1rem; align-items: baseline;
  padding: .75rem 1rem; color: inherit; text-decoration: none; }
a.row:hover { background: var(--accent-soft); }
.row .when { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .875rem; }
.row .what { font-weight: 600; overflow-wrap: anywhere; }
.row .who { grid-column: 2; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.tag { font-size: .8125rem; padding: .1rem .5rem; border-radius: 999px; background: var(--accent-soft);
  color: var(--accent); white-space: nowrap; }
.tag.bad { background: var(--warn-soft); color: var(--warn); }
.empty { background: var(--card); border: 1px dashed var(--line); border-radius: 10px; padding: 2.5rem 1rem;
  text-align: center; color: var(--soft); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1.25rem; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
iframe { width: 100%; height: 38rem; border: 1px solid var(--line); border-radius: 10px; background: #fff;
  color-scheme: light; resize: vertical; }
pre { margin: 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
details { margin-top: 1rem; }
summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
details > pre { margin-top: .5rem; }
nav { font-size: .9375rem; margin-bottom: 1.25rem; }
@media (max-width: 34rem) {
  main { padding: 1.25rem .75rem 3rem; }
  .row { grid-template-columns: 1fr auto; gap: .15rem .75rem; }
  .row .what { grid-column: 1 / -1; grid-row: 2; }
  .row .who { grid-column: 1 / -1; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .5rem; }
}`;

/** A whole page: no script, no outside resource. `refreshSeconds` lets a list follow what is happening. */
export function document(page: { title: string; body: Markup; refreshSeconds?: number }): string {
  const refresh =
    page.refreshSeconds === undefined
      ? html``
      : html`<meta http-equiv="refresh" content="${page.refreshSeconds}">`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}<title>${page.title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<main>
${page.body}
</main>
</body>
</html>
`.markup;
}

/**
 * Headers for every page: what a mail or a webhook carries was written by the program under trial, so a page
 * that shows it may load nothing and run nothing.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** An instant as people read it in a list: `Tue 3 Nov, 14:05` in UTC. */
export function shortTime(instant: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
  });
  return parts.format(instant);
}
