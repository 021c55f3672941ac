import { isMap, isNode, isPair, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { z } from 'zod';
import { didYouMean } from '../domain/did-you-mean.ts';
import { type Mistake, shownValue } from './mistakes.ts';
import {
  inherit,
  type Policy,
  REQUIRED_RULES,
  resolvePolling,
  resolveProgram,
  resolveRetention,
} from './policy.ts';
import { policySchema } from './policy-schema.ts';

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

type Path = readonly PropertyKey[];

/** A mistake before it is known where in the file it stands. With `key` the key itself is wrong. */
type Complaint = {
  readonly path: Path;
  readonly key?: string;
  readonly expected: string;
  readonly value: string | null;
};

/**
 * Reads the text of the configuration file. `file` is its name for the mistakes, which come all together, each
 * with line, path, expectation and value.
 */
export function parsePolicy(text: string, file: string): ParsedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    return {
      ok: false,
      mistakes: broken.map((error) => ({
        source: file,
        line: lines.linePos(error.pos[0]).line,
        expected: `valid YAML: ${error.message.split('\n')[0] ?? ''}`,
        value: null,
      })),
    };
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch {
    // The library refuses to expand aliases without bound; its message speaks of memory, not of the file.
    return { ok: false, mistakes: [{ source: file, expected: 'fewer YAML aliases', value: null }] };
  }
  const result = policySchema.safeParse(content);
  const complaints = [
    ...(result.error?.issues ?? []).flatMap((issue) => complaintsOf(issue, [], content)),
    ...completeness(content),
  ];
  if (complaints.length > 0) {
    const located = complaints.map((complaint) => ({
      complaint,
      line: lineOf(document.contents, complaint, lines),
    }));
    return {
      ok: false,
      mistakes: located
        .toSorted((a, b) => a.line - b.line)
        .map(({ complaint, line }) => ({
          source: file,
          line,
          path: pathText(complaint.key === undefined ? complaint.path : [...complaint.path, complaint.key]),
          expected: complaint.expected,
          value: complaint.value,
        })),
    };
  }
  if (!result.success) throw new TypeError('a refused configuration without a complaint');
  const { defaults, programs, polling, retention } = result.data;
  return {
    ok: true,
    policy: {
      programs: programs.map((section) => resolveProgram(inherit(defaults, section))),
      polling: resolvePolling(polling),
      retention: resolveRetention(retention),
    },
  };
}

/**
 * What no single value can tell: rules missing after inheritance, and names given twice. Looks at the file as it
 * was typed, so that these are told together with the mistakes in single values.
 */
function completeness(content: unknown): Complaint[] {
  const { defaults, programs } = (isRecord(content) ? content : {}) as { [section: string]: unknown };
  if (!Array.isArray(programs)) return [];
  const seen = new Map<string, number>();
  return programs.flatMap((section: unknown, index) => {
    if (!isRecord(section)) return [];
    const given = { ...(isRecord(defaults) ? defaults : {}), ...section };
    const complaints: Complaint[] = Object.entries(REQUIRED_RULES)
      .filter(([rule]) => !(rule in given))
      .map(([rule, expected]) => ({ path: ['programs', index, rule], expected, value: null }));
    if (typeof section.name !== 'string') return complaints;
    // Two names that differ by letter case only would be mixed up by every person who types them.
    const name = section.name.normalize('NFC').trim().toLowerCase();
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      const expected = `a name of its own; programs[${earlier}] has this one`;
      complaints.push({ path: ['programs', index, 'name'], expected, value: shownValue(section.name) });
    }
    seen.set(name, earlier ?? index);
    return complaints;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Issue = z.core.$ZodIssue;

function complaintsOf(issue: Issue, above: Path, content: unknown): Complaint[] {
  const path = [...above, ...issue.path];
  const value = shownValue(valueAt(content, path));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const near = didYouMean(key, known);
      const expected =
        near === null ? `one of the keys ${known.join(', ')}` : `a known key; did you mean ${near}?`;
      return { path, key, expected, value: shownValue(key) };
    });
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? issue.message;
    return [{ path: path.slice(0, -1), key: String(path.at(-1)), expected, value: shownValue(path.at(-1)) }];
  }
  if (issue.code === 'invalid_union') {
    // Where the keys tell which form was meant, its own complaint says more than a list of all forms.
    const meant = issue.errors.filter((form) => form.every((inner) => isInside(inner)));
    if (meant.length === 1) return (meant[0] ?? []).flatMap((inner) => complaintsOf(inner, path, content));
  }
  return [{ path, expected: expectedText(issue), value }];
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 && issue.code !== 'unrecognized_keys';
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
  boolean: 'true or false',
};

/** Our own messages are expectations already; what the library says by itself is put into such words. */
function expectedText(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`;
  }
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  return issue.message;
}

function valueAt(content: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    content,
  );
}

type SchemaNode = {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
};

/** The keys that may stand at a path, read off the same JSON Schema that editors use. */
function knownKeys(path: Path): string[] {
  let nodes: SchemaNode[] = [z.toJSONSchema(policySchema, { io: 'input' }) as SchemaNode];
  for (const step of path) {
    nodes = nodes
      .flatMap((node) => [node, ...(node.anyOf ?? [])])
      .flatMap((node) =>
        typeof step === 'number' ? (node.items ?? []) : (node.properties?.[String(step)] ?? []),
      );
  }
  return nodes
    .flatMap((node) => [node, ...(node.anyOf ?? [])])
    .flatMap((node) => Object.keys(node.properties ?? {}));
}

/** The line of a value, or of its key, or of the nearest thing above it that exists. */
function lineOf(contents: ParsedNode | null, { path, key }: Complaint, lines: LineCounter): number {
  let node: unknown = contents;
  let offset = contents?.range[0] ?? 0;
  for (const step of key === undefined ? path : [...path, key]) {
    const next = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === step)
      : null;
    if (isPair(next)) {
      if (isNode(next.key) && next.key.range) offset = next.key.range[0];
      node = next.value;
    } else {
      const item = typeof step === 'number' && isNode(node) && 'items' in node ? node.items[step] : undefined;
      if (!isNode(item)) break;
      node = item;
      if (item.range) offset = item.range[0];
    }
  }
  return lines.linePos(offset).line;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}
