import { DateTime } from 'luxon';
import { findIana } from 'windows-iana';
import { instantOfIso, isZone } from '../../domain/notation.ts';
import type { CalendarDate, Instant } from '../../domain/observation.ts';

/** Names that Windows retired and mailboxes still carry; CLDR, and so windows-iana, no longer lists them. */
const RETIRED: Readonly<Record<string, string>> = {
  'Kamchatka Standard Time': 'Asia/Kamchatka',
  'Mid-Atlantic Standard Time': 'Etc/GMT+2',
};

/** windows-iana gives the names CLDR froze; the zone database and Google use these. */
const RENAMED: Readonly<Record<string, string>> = {
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Europe/Kiev': 'Europe/Kyiv',
};

/** Every event names its zone twice, and the list that a name is looked up in is searched from its beginning. */
const NAMED = new Map<string, string | null>();
/** Names come from calendars, so that there may be any number of them. */
const MOST_NAMES = 1_000;

/** Outside of these years a date is a sentinel or a mistake. */
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(2201, 0, 1);

/**
 * The IANA name of a zone as Graph names it: Windows' name, IANA's, or `tzone://Microsoft/Utc`.
 * @returns `null` for a custom zone of desktop Outlook, an empty name, or one nobody knows
 */
export function ianaZone(name: string | null | undefined): string | null {
  const given = name?.trim();
  if (!given) return null;
  if (/^(tzone:\/\/Microsoft\/)?Utc$/i.test(given)) return 'UTC';
  const known = NAMED.get(given);
  if (known !== undefined) return known;
  const found = isZone(given) ? given : (RETIRED[given] ?? findIana(given)[0]);
  const iana = found === undefined ? null : (RENAMED[found] ?? found);
  if (NAMED.size < MOST_NAMES) NAMED.set(given, iana);
  return iana;
}

/**
 * An instant from `{dateTime, timeZone}`, whose seven-digit time carries no `Z` and so must never meet
 * `new Date`, which reads it in the process' own zone.
 * @returns `null` when it cannot be read
 */
export function instantOf(value: { dateTime: string; timeZone?: string | null | undefined }): Instant | null {
  const zone = value.timeZone ? ianaZone(value.timeZone) : 'UTC';
  if (zone === null) return null;
  // Nearly always asked for in UTC, and then only the `Z` is missing.
  return zone === 'UTC' && !/[Z+]|-\d\d:\d\d$/.test(value.dateTime)
    ? instantOfIso(`${value.dateTime}Z`, zone)
    : instantOfIso(value.dateTime, zone);
}

/** An instant from an ISO 8601 text with or without an offset (UTC then); `null` when unreadable or a sentinel. */
export function instantOfText(value: string | null | undefined): Instant | null {
  if (!value) return null;
  const at = instantOfIso(value, 'utc');
  return at !== null && inRange(at) ? at : null;
}

export function inRange(instant: Instant): boolean {
  return instant >= EARLIEST && instant < LATEST;
}

/** The date of an instant in a zone; in UTC without one. */
export function dateIn(instant: Instant, zone: string | null): CalendarDate | null {
  return DateTime.fromMillis(instant, { zone: zone ?? 'utc' }).toISODate();
}

/** As Graph's query parameters want it: to the second, with `Z`. */
export function queryTime(instant: Instant): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
