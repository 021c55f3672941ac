import { parse } from 'csv-parse/sync';
import { didYouMean } from './did-you-mean.ts';

import {
  OPTIONAL_COLUMNS,
  type OptionalColumn,
  ROSTER_COLUMNS,
  type RosterColumn,
  type RosterProblem,
} from './roster.ts';

/** A row as it was typed: every cell trimmed and in NFC, an empty text where nothing was said. */
export type RosterRow = { readonly line: number; readonly cells: { readonly [C in RosterColumn]: string } };

/** The rows of a roster, or what is wrong with it as a table. `left` are the optional columns it left out. */
export type RosterTable = {
  readonly rows: readonly RosterRow[];
  readonly left: readonly OptionalColumn[];
  readonly problems: readonly RosterProblem[];
};

type Named = { readonly line: number; readonly cells: ReadonlyMap<string, string> };

/**
 * Reads roster text as CSV (comma, semicolon or tab, as the header has it) or, when it starts with a bracket
 * or brace, as JSON: a list of objects named like the columns, or `{"rows": [...]}`.
 */
export function readRosterTable(text: string): RosterTable {
  // Decoded with the wrong encoding, names are damaged for good; that must not reach the database.
  if (text.includes('\u0000') || text.includes('\uFFFD')) {
    return onlyProblem(1, null, 'a text file in UTF-8 (in Excel: save as "CSV UTF-8")');
  }
  const body = text.replace(/^\uFEFF/, '');
  if (body.trim() === '') return onlyProblem(1, null, `a header line: ${ROSTER_COLUMNS.join(', ')}`);
  return /^\s*[[{]/.test(body) ? readJson(body) : readCsv(body);
}

function readCsv(body: string): RosterTable {
  type Parsed = { record: string[]; info: { lines: number } };
  let parsed: Parsed[];
  try {
    parsed = parse(body, {
      delimiter: delimiterOf(body),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    const expected =
      code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a closing quotation mark: one opened on this line or above is still open at the end of the file'
        : 'quotation marks only around a whole cell, those inside it doubled';
    return onlyProblem(lines ?? 1, null, expected);
  }
  const [header, ...records] = parsed;
  if (header === undefined) return onlyProblem(1, null, `a header line: ${ROSTER_COLUMNS.join(', ')}`);
  const names = header.record.map(columnName);
  const problems = headerProblems(names, header.info.lines);
  const rows: Named[] = [];
  for (const { record, info } of records) {
    // The parser names the line on which a record ends; an editor's reader looks for where it starts.
    const line = info.lines - (record.join('').match(/\n/g)?.length ?? 0);
    if (record.every((cell) => cell.trim() === '')) continue;
    const surplus = record.slice(names.length).find((cell) => cell.trim() !== '');
    if (surplus !== undefined) {
      const expected = `no more than ${names.length} cells; put a cell that holds the delimiter in quotation marks`;
      problems.push({ line, column: null, value: surplus.trim(), expected });
    }
    rows.push({ line, cells: new Map(names.map((name, i) => [name, record[i] ?? ''])) });
  }
  return table(rows, new Set(names), problems);
}

/** What separates the cells, told from the header, which holds only column names. */
function delimiterOf(body: string): string {
  const header = /^\s*(.*)/.exec(body)?.[1] ?? '';
  const counts = [',', ';', '\t'].map((mark) => [mark, header.split(mark).length] as const);
  return counts.reduce((most, next) => (next[1] > most[1] ? next : most))[0];
}

function readJson(body: string): RosterTable {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    const line = /line (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return onlyProblem(Number(line ?? 1), null, 'JSON without a syntax mistake');
  }
  const list = isObject(value) && Array.isArray(value.rows) ? value.rows : value;
  if (!Array.isArray(list)) return onlyProblem(1, null, 'a JSON list of objects, or {"rows": [...]}');
  const lines = linesOfItems(body, list === value ? 1 : 2);
  const problems: RosterProblem[] = [];
  const names = new Set<string>();
  const rows: Named[] = [];
  list.forEach((item: unknown, index) => {
    if (!isObject(item)) {
      const expected = `an object, one a member (entry ${index + 1} of the list)`;
      problems.push({ line: 1, column: null, value: cellText(item), expected });
      return;
    }
    const line = lines[rows.length] ?? 1;
    const cells = new Map(Object.entries(item).map(([key, cell]) => [columnName(key), cellText(cell)]));
    const fresh = [...cells.keys()].filter((name) => !names.has(name));
    problems.push(...unknownColumns(fresh, line));
    for (const name of fresh) names.add(name);
    rows.push({ line, cells });
  });
  if (rows.length > 0) problems.push(...missingColumns(names, lines[0] ?? 1));
  return table(rows, names, problems);
}

/** The line on which each object of the list starts, found by counting brackets outside of texts. */
function linesOfItems(body: string, depthOfItem: number): number[] {
  const lines: number[] = [];
  let depth = 0;
  let line = 1;
  for (const [token] of body.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]|\n/g)) {
    if (token === '\n') line++;
    else if (token === '{' || token === '[') {
      if (depth === depthOfItem && token === '{') lines.push(line);
      depth++;
    } else if (token === '}' || token === ']') depth--;
  }
  return lines;
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (Array.isArray(cell)) return cell.map(cellText).join(';');
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell as string | number | boolean);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Time Zone` and `time-zone` are `time_zone`. */
function columnName(typed: string): string {
  const plain = typed.normalize('NFC').trim().toLowerCase();
  return plain.replaceAll(/[\s-]+/g, '_').replace(/^e_mail$/, 'email');
}

function headerProblems(names: readonly string[], line: number): RosterProblem[] {
  const twice = [...new Set(names.filter((name, i) => name !== '' && names.indexOf(name) !== i))];
  return [
    ...unknownColumns([...new Set(names)], line),
    ...twice.map((value) => ({ line, column: null, value, expected: 'each column once' })),
    ...missingColumns(new Set(names), line),
  ];
}

function unknownColumns(names: readonly string[], line: number): RosterProblem[] {
  const known: readonly string[] = ROSTER_COLUMNS;
  return names
    .filter((name) => name !== '' && !known.includes(name))
    .map((value) => {
      const near = didYouMean(value, known);
      const expected = near === null ? `one of ${known.join(', ')}` : `a known column; did you mean ${near}?`;
      return { line, column: null, value, expected };
    });
}

function missingColumns(names: ReadonlySet<string>, line: number): RosterProblem[] {
  const optional: readonly string[] = OPTIONAL_COLUMNS;
  return ROSTER_COLUMNS.filter((column) => !names.has(column) && !optional.includes(column)).map(
    (column) => ({
      line,
      column,
      value: null,
      expected: `a column named ${column}`,
    }),
  );
}

function table(named: readonly Named[], names: ReadonlySet<string>, problems: RosterProblem[]): RosterTable {
  const rows = named.map(({ line, cells }) => {
    const cell = (column: RosterColumn) => (cells.get(column) ?? '').normalize('NFC').trim();
    const entries = ROSTER_COLUMNS.map((column) => [column, cell(column)] as const);
    return { line, cells: Object.fromEntries(entries) as RosterRow['cells'] };
  });
  if (rows.length === 0 && problems.length === 0) {
    // An empty export is far more often a failed one than a program without members.
    problems.push({ line: 1, column: null, value: null, expected: 'at least one row below the header' });
  }
  return { rows, left: OPTIONAL_COLUMNS.filter((column) => !names.has(column)), problems };
}

function onlyProblem(line: number, value: string | null, expected: string): RosterTable {
  return { rows: [], left: [], problems: [{ line, column: null, value, expected }] };
}
