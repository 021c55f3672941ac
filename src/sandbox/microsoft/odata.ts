import { DateTime } from 'luxon';
import type { Span } from '../world/occurrences.ts';
import type { Row } from './event-rows.ts';
import { refusals } from './graph-errors.ts';
import type { GraphRequest } from './graph-server.ts';

/** `startDateTime` and `endDateTime` of a request. Without an offset they are UTC, whatever zone is preferred. */
export function windowOf(query: ReadonlyMap<string, string>): Span {
  const [from, until] = ['startDateTime', 'endDateTime'].map((name) => {
    const text = query.get(name.toLowerCase());
    if (text === undefined || text === '') throw refusals.windowMissing();
    const at = DateTime.fromISO(text, { zone: 'utc' });
    if (!at.isValid) throw refusals.windowMalformed(name);
    return at.toMillis();
  });
  if (from === undefined || until === undefined || from >= until) {
    throw refusals.windowMalformed('EndDateTime');
  }
  return { from, until };
}

/** Leaves the chosen fields, the id and the etag. */
export function select(row: Row, query: ReadonlyMap<string, string>): Row {
  const names = query
    .get('$select')
    ?.split(',')
    .map((name) => name.trim().toLowerCase());
  if (names === undefined) return row;
  return Object.fromEntries(
    Object.entries(row).filter(
      ([name]) => name.startsWith('@') || name === 'id' || names.includes(name.toLowerCase()),
    ),
  );
}

/** Whether `$select` names a field that is printed on request only. */
export function selects(query: ReadonlyMap<string, string>, field: string): boolean {
  const names = query.get('$select')?.split(',') ?? [];
  return names.some((name) => name.trim().toLowerCase() === field.toLowerCase());
}

/** One page of rows by `$top` (default 10, at most 1000) and `$skip`, with the absolute link to the next. */
export function pageOf(rows: readonly Row[], request: GraphRequest): Row {
  const top = wholeNumber(request.query.get('$top')) ?? request.preferences.maxPageSize ?? 10;
  if (top < 1 || top > 1_000)
    throw refusals.badRequest("Invalid value for '$top': it must be from 1 to 1000.");
  const skip = wholeNumber(request.query.get('$skip')) ?? 0;
  const size = request.fault === 'empty_page' ? 0 : top;
  const shown = rows.slice(skip, skip + size);
  const body: Row = { '@odata.context': contextOf(request), value: shown };
  if (skip + size < rows.length || size === 0) {
    const next = new URL(request.path, request.origin);
    for (const [name, value] of request.query) if (name !== '$skip') next.searchParams.set(name, value);
    next.searchParams.set('$skip', String(skip + size));
    body['@odata.nextLink'] = next.href;
  }
  return body;
}

export function contextOf(request: GraphRequest): string {
  const [, , ...segments] = request.path.split('/');
  return `${request.origin}/v1.0/$metadata#${segments.map(decodeURIComponent).join('/')}`;
}

/** The text literal of `field eq '...'` with doubled quotes undone; null when the filter says something else. */
export function equalsLiteral(filter: string, field: string): string | null {
  const match = /^\s*([\w/]+)\s+eq\s+'((?:[^']|'')*)'\s*$/.exec(filter);
  if (match === null || match[1]?.toLowerCase() !== field.toLowerCase()) return null;
  return (match[2] ?? '').replaceAll("''", "'");
}

function wholeNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw refusals.badRequest(`'${text}' is not a whole number.`);
  return Number(text);
}
