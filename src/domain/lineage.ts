import type { CalendarDate } from './observation.ts';

/**
 * The lineage of a meeting: what all copies in all mailboxes, all occurrences, and all parts of a split series have
 * in common. Made from the iCalendar UID, which every provider carries but each in its own dress:
 *
 * - Outlook writes a GlobalObjectId in hex. Bytes 16-19 are the date of the single instance and differ between
 *   occurrences of one series; with those bytes zeroed it is the "clean" id that all of them share ([MS-OXOCAL]
 *   2.2.1.27 and 2.2.1.28). Google shows the clean id of an Outlook meeting, in either case.
 * - A UID that is not Outlook's own travels through Outlook raw, or wrapped in a GlobalObjectId behind `vCal-Uid`.
 * - Google gives the second part of a series that was split ("this and following") the old UID plus `_R<stamp>`.
 */

const GLOBAL_OBJECT_ID = /^040000008200E00074C5B7101A82E008(?:[0-9A-F]{2})+$/i;
/** 16 constant + 4 date + 8 creation + 8 reserved + 4 length. */
const HEADER_BYTES = 40;
const DATE_FROM = 16 * 2;
const DATE_UNTIL = 20 * 2;
/** `vCal-Uid` and the version 1 as a little-endian 32-bit number. */
const WRAPPED = '7643616C2D55696401000000';
/** A series may be split again and again. */
const SPLIT_STAMP = /_R(\d{8}(?:T\d{6}Z?)?)(?=$|@|_R)/g;
const GOOGLE_SPLIT = /(?:_R\d{8}(?:T\d{6}Z?)?)+(?=$|@)/;

function isGlobalObjectId(uid: string): boolean {
  return uid.length >= HEADER_BYTES * 2 && GLOBAL_OBJECT_ID.test(uid);
}

function utf8OfHex(hex: string): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return new TextDecoder().decode(bytes);
}

/** The UID that Outlook wrapped in a GlobalObjectId of its own, as its maker wrote it; `null` when it wrapped none. */
export function wrappedUid(uid: string): string | null {
  if (!isGlobalObjectId(uid)) return null;
  const data = uid.toUpperCase().slice(HEADER_BYTES * 2);
  if (!data.startsWith(WRAPPED)) return null;
  return utf8OfHex(data.slice(WRAPPED.length)).replace(/\0+$/, '') || null;
}

/**
 * Normalises an iCalendar UID to its lineage.
 * @returns `null` when there is no UID: the caller must fall back to something of its own and say so.
 */
export function lineageOfUid(uid: string | null | undefined): string | null {
  const given = uid?.trim();
  if (!given) return null;
  if (!isGlobalObjectId(given)) return given.replace(GOOGLE_SPLIT, '');
  const hex = given.toUpperCase();
  const inner = wrappedUid(given);
  // What was wrapped once may have been wrapped, or been Outlook's own, before.
  if (inner) return lineageOfUid(inner);
  return `${hex.slice(0, DATE_FROM)}00000000${hex.slice(DATE_UNTIL)}`;
}

/**
 * The UID by which all calendars but Outlook's know a series or this part of it: what Outlook wrapped is taken out, and
 * of its own ids the date of the single instance. Unlike the lineage it keeps the stamp of a Google split.
 */
export function seriesUidOf(uid: string): string {
  if (!isGlobalObjectId(uid)) return uid;
  const inner = wrappedUid(uid);
  if (inner !== null) return seriesUidOf(inner);
  return lineageOfUid(uid) ?? uid;
}

/**
 * The stamp of the split by which Google made this part of a series: where the part began when it was made. Stamps sort
 * as text.
 * @returns empty for what is no second part
 */
export function splitStampOf(uid: string | null): string {
  const stamps = uid === null ? [] : [...seriesUidOf(uid).matchAll(SPLIT_STAMP)];
  return stamps.at(-1)?.[1] ?? '';
}

/**
 * The date of the instance that a GlobalObjectId names.
 * @returns `null` for a series, a single event, a foreign UID, or bytes that are no date
 */
export function instanceDateOfUid(uid: string | null | undefined): CalendarDate | null {
  const given = uid?.trim();
  if (!given || !isGlobalObjectId(given)) return null;
  const bytes = given.slice(DATE_FROM, DATE_UNTIL);
  const year = Number.parseInt(bytes.slice(0, 4), 16);
  const month = Number.parseInt(bytes.slice(4, 6), 16);
  const day = Number.parseInt(bytes.slice(6, 8), 16);
  if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) return null;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** A Google event id without the `_R<stamp>` of a split: both parts of the series give the same. */
export function baseOfGoogleId(id: string): string {
  return id.replace(GOOGLE_SPLIT, '');
}

/** The lineage of a copy that carries no UID at all: its own, unless another calendar's says the same (`nameless.ts`). */
export function lineageWithoutUid(calendarAddress: string, sourceId: string): string {
  return `no-uid:${calendarAddress}:${sourceId}`;
}
