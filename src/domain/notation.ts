import { DateTime, IANAZone } from 'luxon';
import { didYouMean } from './did-you-mean.ts';
import type { IsoDate } from './program.ts';

/**
 * How addresses, zones, days and languages may be written, wherever a person writes them: in a roster or in
 * the configuration. Each check comes with the words that tell the person what was expected instead.
 */

export const ADDRESS_EXPECTED = 'an address such as ada@example.org';
export const DAY_EXPECTED = 'a day that exists, such as 2026-03-31 (year-month-day)';
export const LANGUAGE_EXPECTED = 'a language tag such as en or pt-BR';

/** An address as it is stored and compared: NFC, lower-case, trimmed. */
export function normalAddress(typed: string): string {
  return typed.normalize('NFC').trim().toLowerCase();
}

/** Whether a normalised text is one plain address: no display name, no list, a domain with a dot. */
export function isAddress(text: string): boolean {
  return /^[^\s@"<>()[\],;:\\]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,63}$/u.test(
    text,
  );
}

/**
 * Known answers. Asking the runtime costs half a millisecond a name and every event of a calendar names one; the
 * names come from outside, so the memory of them is bounded.
 */
const zones = new Map<string, boolean>();
const MOST_ZONES = 2_000;

/** Whether it names a place's zone (`Europe/Berlin`, `UTC`). A fixed offset is refused: it knows no summer. */
export function isZone(text: string): boolean {
  const known = zones.get(text);
  if (known !== undefined) return known;
  const answer = /^[A-Za-z]/.test(text) && IANAZone.isValidZone(text);
  if (zones.size >= MOST_ZONES) zones.clear();
  zones.set(text, answer);
  return answer;
}

/** What to say about a text that is no zone. */
export function zoneExpected(typed: string): string {
  const near = didYouMean(typed.replaceAll(' ', '_'), Intl.supportedValuesOf('timeZone'));
  return near === null
    ? 'an IANA time zone such as Europe/Berlin'
    : `an IANA time zone; did you mean ${near}?`;
}

/** Whether it is a day of the calendar, written `YYYY-MM-DD`. */
export function isDay(text: string): text is IsoDate {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;
}

/** A BCP 47 language tag in its canonical letters, or null when it is none. */
export function canonicalLanguage(text: string): string | null {
  try {
    return Intl.getCanonicalLocales(text)[0] ?? null;
  } catch {
    return null; // The platform's only way of saying "not well formed" is to throw.
  }
}

/** `one of a, b, c`, or the one that was probably meant. */
export function oneOf(typed: string, known: readonly string[]): string {
  const near = typed === '' ? null : didYouMean(typed, known);
  return `${known.length === 1 ? '' : 'one of '}${known.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`;
}

/** A time with an offset of its own, on a day that its month has in every year: what providers send nearly always. */
const PLAIN_INSTANT =
  /^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * An instant from an ISO 8601 text; `zone` is the zone of a text without an offset.
 * The plain form takes the runtime's own parser: luxon costs ten times as much, and a calendar has thousands of them.
 * @returns milliseconds since the epoch, or `null` when it cannot be read
 */
export function instantOfIso(text: string, zone: string): number | null {
  if (PLAIN_INSTANT.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at)) return at;
  }
  const at = DateTime.fromISO(text, { zone });
  return at.isValid ? at.toMillis() : null;
}
