import { Parser } from 'htmlparser2';
import type { ObservedPerson, TagText } from './observation.ts';
import type { TagRule } from './program.ts';

/** Which rule of which program found its tag. Kept with the copy, instead of the text it was found in. */
export interface Match {
  readonly program: string;
  readonly rule: string;
}

/** Whether the tag may have stood on one person's copy alone: a category, a property. All else travels. */
export const isPersonalMark = (match: Match): boolean => /^(?:category|property):/.test(match.rule);

/** What is looked for: the rules of a program, and the references of its open plans. */
export interface TagSearch {
  readonly program: string;
  readonly rules: readonly TagRule[];
  /** References of planned sessions (`planned_session.reference`). */
  readonly references: readonly string[];
}

/** Elements that end a word. Everything else is inline: `#men<b>toring</b>` is one tag for whoever reads it. */
const BREAKS = new Set(
  'address article aside blockquote br dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td th tr ul'.split(
    ' ',
  ),
);
const UNSEEN = new Set(['script', 'style', 'head', 'title']);

/**
 * The text a person sees, folded for comparison: tags stripped, entities decoded, compatibility forms and
 * no-break spaces folded (NFKC), white space collapsed, lower case. Plain text passes through the same way; a `<`
 * that opens no element stays text.
 */
export function visibleText(text: string | null): string {
  if (!text) return '';
  let seen = '';
  let unseenDepth = 0;
  const parser = new Parser(
    {
      onopentagname(name) {
        if (UNSEEN.has(name)) unseenDepth += 1;
        if (BREAKS.has(name)) seen += ' ';
      },
      onclosetag(name) {
        if (UNSEEN.has(name)) unseenDepth -= 1;
        if (BREAKS.has(name)) seen += ' ';
      },
      ontext(chunk) {
        if (unseenDepth === 0) seen += chunk;
      },
    },
    { decodeEntities: true },
  );
  parser.write(text);
  parser.end();
  return fold(seen);
}

function fold(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\u200b|\u200c|\u200d|\u2060|\ufeff|\u00ad/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase()
    .trim();
}

const WORD = /[\p{L}\p{N}_]/u;

/** `needle` as a whole: `#mentor` is not found in `#mentoring`, nor `#mentoring` in `x#mentoring`. */
function holdsWord(haystack: string, needle: string): boolean {
  // An empty reference would stand in every event there is.
  if (needle === '') return false;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) {
    const before = haystack.slice(0, at).at(-1) ?? ' ';
    const after = haystack.slice(at + needle.length).at(0) ?? ' ';
    const startsInside = WORD.test(before) && (needle.startsWith('#') || WORD.test(needle.at(0) ?? ''));
    const endsInside = WORD.test(after) && WORD.test(needle.at(-1) ?? '');
    if (!startsInside && !endsInside) return true;
  }
  return false;
}

/**
 * Whether a text that was not looked at closely may hold a tag: its first sign stands there, or something that could
 * become it (an entity, a full-width form). Most events of a calendar are not ours, and parsing their bodies is most
 * of what reading a calendar costs.
 */
function mayHold(text: string | null, needle: string): boolean {
  if (text === null) return false;
  const first = needle[0] ?? '';
  return (
    text.includes(first) ||
    text.includes(first.toUpperCase()) ||
    text.includes('&') ||
    /\P{ASCII}/u.test(text)
  );
}

function describe(rule: TagRule): string {
  switch (rule.kind) {
    case 'text':
      return rule.text;
    case 'category':
      return `category:${rule.category}`;
    case 'property':
      return `property:${rule.property}`;
    case 'mailbox':
      return `mailbox:${rule.mailbox}`;
  }
}

/**
 * Finds the tags of an event.
 * @param people everyone on the copy, the calendar's owner included: an invited program mailbox is a tag
 * @returns one match a rule, in the order of the searches
 */
export function matchTags(
  text: TagText,
  people: ReadonlyArray<Pick<ObservedPerson, 'address'>>,
  searches: readonly TagSearch[],
): Match[] {
  // Parsed once an event, and only where a rule looks at text.
  let words: string | undefined;
  const seen = () => (words ??= `${visibleText(text.title)}\n${visibleText(text.body)}`);
  const reads = (needle: string) =>
    (mayHold(text.title, needle) || mayHold(text.body, needle)) && holdsWord(seen(), needle);
  const categories = new Set(text.categories.map((name) => name.normalize('NFKC').trim().toLowerCase()));
  const found: Match[] = [];
  for (const search of searches) {
    for (const rule of search.rules) {
      const holds = (() => {
        switch (rule.kind) {
          case 'text':
            return reads(fold(rule.text));
          case 'category':
            return categories.has(rule.category.normalize('NFKC').trim().toLowerCase());
          case 'property':
            return text.properties.some(
              (property) =>
                property.name === rule.property && property.value.toLowerCase() === rule.value.toLowerCase(),
            );
          case 'mailbox':
            return people.some((person) => person.address === rule.mailbox);
        }
      })();
      if (holds) found.push({ program: search.program, rule: describe(rule) });
    }
    for (const reference of search.references) {
      if (reads(fold(reference))) found.push({ program: search.program, rule: `plan:${reference}` });
    }
  }
  return found;
}
