/** A `fields` selector: names with what is wanted below them, null = everything. */
type Selector = Map<string, Selector | null>;

/**
 * Cuts an answer down to what `fields` names (`kind,items(id,start/dateTime)`), as all of Google's APIs do.
 * Gives null when the selector cannot be read, which Google refuses with 400.
 */
export function partialResponse(body: unknown, fields: string): unknown {
  const parsed = parse(fields.replaceAll(/\s/g, ''));
  return parsed === null ? null : select(body, parsed);
}

function parse(text: string): Selector | null {
  const selector: Selector = new Map();
  for (const part of split(text)) {
    const [, name, rest] = /^([\w*$-]+)(.*)$/s.exec(part) ?? [];
    if (name === undefined || rest === undefined) return null;
    const inner = rest.startsWith('/')
      ? rest.slice(1)
      : rest.startsWith('(') && rest.endsWith(')')
        ? rest.slice(1, -1)
        : null;
    if (inner === null && rest !== '') return null;
    const below = inner === null ? null : parse(inner);
    if (inner !== null && below === null) return null;
    selector.set(name, below);
  }
  return selector.size === 0 ? null : selector;
}

/** Splits at the commas that stand outside parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(current);
      current = '';
    } else current += character;
  }
  return [...parts, current].filter((part) => part !== '');
}

function select(body: unknown, selector: Selector): unknown {
  if (Array.isArray(body)) return body.map((entry) => select(entry, selector));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).flatMap(([key, value]) => {
      const below = selector.has(key) ? selector.get(key) : selector.get('*');
      if (below === undefined) return [];
      return [[key, below === null ? value : select(value, below)]];
    }),
  );
}
