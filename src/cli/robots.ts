/**
 * What a robots.txt forbids (RFC 9309; Google's reading of it:
 * https://developers.google.com/search/docs/crawling-indexing/robots/robots_txt).
 */

interface Rule {
  readonly allows: boolean;
  readonly pattern: string;
}

/**
 * Whether the groups for one agent forbid it a path. Groups for `*` count only when asked for by that name.
 * @param agent `*`, or a name as the file writes it, in any case
 * @param path as a URL writes it
 * @returns null where no group is for this agent
 */
export function forbids(robots: string, agent: string, path: string): boolean | null {
  const rules = rulesFor(robots, agent.toLowerCase());
  if (rules === null) return null;
  // The longest rule decides; of two as long, the one that allows.
  const [decisive] = rules
    .filter(({ pattern }) => matches(pattern, path))
    .toSorted((a, b) => b.pattern.length - a.pattern.length || Number(b.allows) - Number(a.allows));
  return decisive !== undefined && !decisive.allows;
}

/** The rules of all groups for an agent together. */
function rulesFor(robots: string, agent: string): readonly Rule[] | null {
  const rules: Rule[] = [];
  let found = false;
  let names: string[] = [];
  let named = false;
  for (const line of robots.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const [key = '', ...rest] = (line.split('#')[0] ?? '').split(':');
    const field = key.trim().toLowerCase();
    const value = rest.join(':').trim();
    if (field === 'user-agent') {
      // Names that follow one another share the rules after them; a name after rules begins another group.
      names = named ? [...names, value.toLowerCase()] : [value.toLowerCase()];
      named = true;
      found ||= names.includes(agent);
    } else if (field === 'allow' || field === 'disallow') {
      named = false;
      // Without a path nothing is said.
      if (names.includes(agent) && value !== '') rules.push({ allows: field === 'allow', pattern: value });
    }
  }
  return found ? rules : null;
}

/** Whether a pattern holds at the begin of a path: `*` stands for anything, `$` at its end for the end of the path. */
function matches(pattern: string, path: string): boolean {
  const whole = pattern.endsWith('$');
  const [head = '', ...parts] = (whole ? pattern.slice(0, -1) : pattern).split('*').map(escaped);
  if (!path.startsWith(head)) return false;
  let at = head.length;
  const last = whole ? parts.pop() : undefined;
  for (const part of parts) {
    const next = path.indexOf(part, at);
    if (next < 0) return false;
    at = next + part.length;
  }
  if (!whole) return true;
  return last === undefined ? at === path.length : path.endsWith(last) && path.length - last.length >= at;
}

/** Other letters than those of a URL, as a URL writes them. */
function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, (letters) => encodeURIComponent(letters));
}
