import { Duration } from 'luxon';
import { z } from 'zod';
import {
  ADDRESS_EXPECTED,
  canonicalLanguage,
  DAY_EXPECTED,
  isAddress,
  isDay,
  isZone,
  LANGUAGE_EXPECTED,
  normalAddress,
  zoneExpected,
} from '../domain/notation.ts';

/**
 * The kinds of values in the configuration file. Each is one schema that the parser and the published JSON
 * Schema share; its message is what was expected, as a noun phrase, because mistakes are told that way.
 */

/** What an editor shows: a description, and the default that applies when the key is absent. */
export type About = {
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: unknown[];
};

type Read<T> = (text: string) => T | null;

/** A text of a given shape, then read further by code where a pattern cannot tell. */
function typed<T>(
  about: About,
  expected: string | ((text: string) => string),
  pattern: RegExp,
  read: Read<T>,
) {
  const say = (value: unknown) => {
    if (typeof expected === 'string') return expected;
    return expected(typeof value === 'string' ? value : '');
  };
  return z
    .string({ error: (issue) => say(issue.input) })
    .regex(pattern, { error: (issue) => say(issue.input) })
    .meta(about)
    .transform((text, context): T => {
      const value = read(text);
      if (value !== null) return value;
      context.issues.push({ code: 'custom', message: say(text), input: text });
      return z.NEVER;
    });
}

export function plainText(about: About, expected: string) {
  return typed(about, expected, /\S/, (text) => text.normalize('NFC').trim().replaceAll(/\s+/g, ' '));
}

export function zone(about: About) {
  return typed(about, zoneExpected, /^[A-Za-z][\w+/-]*$/, (text) => (isZone(text) ? text : null));
}

export function day(about: About) {
  return typed(about, DAY_EXPECTED, /^\d{4}-\d{2}-\d{2}$/, (text) => (isDay(text) ? text : null));
}

export function timeOfDay(about: About) {
  return typed(about, 'a time of day such as "20:00"', /^([01]\d|2[0-3]):[0-5]\d$/, (text) => text);
}

export function address(about: About) {
  return typed(about, ADDRESS_EXPECTED, /^\s*\S+@\S+\s*$/, (text) => {
    const normal = normalAddress(text);
    return isAddress(normal) ? normal : null;
  });
}

export function language(about: About) {
  return typed(about, LANGUAGE_EXPECTED, /^[A-Za-z]{2,3}(-[A-Za-z\d]+)*$/, canonicalLanguage);
}

export function webLink(about: About) {
  return typed(about, 'an https:// address', /^https:\/\/\S+$/, (text) => URL.parse(text)?.href ?? null);
}

/** Days or weeks, given as a number of days. Months have no fixed number of days, hours are too fine here. */
export function days(about: About, options: { least: 0 | 1 }) {
  const least = options.least === 0 ? '' : ', at least one day';
  const expected = `whole days or weeks such as P14D or P2W${least}`;
  return typed(about, expected, /^P(?=\d)(?:\d{1,4}W)?(?:\d{1,4}D)?$/, (text) => {
    const count = Duration.fromISO(text).as('days');
    return count >= options.least ? count : null;
  });
}

/** Weeks, days, hours or minutes up to a limit, kept as ISO 8601 text. */
export function span(about: About, limits: { least: string; most: string }) {
  const expected = `a duration from ${limits.least} to ${limits.most} in days, hours or minutes, such as P1D or PT90M`;
  const pattern = /^P(?=[\dT])(?:\d{1,4}W)?(?:\d{1,4}D)?(?:T(?=\d)(?:\d{1,4}H)?(?:\d{1,5}M)?)?$/;
  return typed(about, expected, pattern, (text) => {
    const [length, least, most] = [text, limits.least, limits.most].map(minutesOf) as [
      number,
      number,
      number,
    ];
    return length >= least && length <= most ? text : null;
  });
}

/** Years, months, weeks or days, kept as ISO 8601 text: how long something is kept, or may take. */
export function keeping(about: About) {
  const expected = 'a duration of at least a day in years, months, weeks or days, such as P90D or P1Y';
  const pattern = /^P(?=\d)(?:\d{1,3}Y)?(?:\d{1,4}M)?(?:\d{1,4}W)?(?:\d{1,5}D)?$/;
  return typed(about, expected, pattern, (text) => (minutesOf(text) > 0 ? text : null));
}

export function wholeNumber(about: About, expected: string, limits: { least: number; most: number }) {
  return z
    .int({ error: expected })
    .min(limits.least, { error: expected })
    .max(limits.most, { error: expected })
    .meta(about);
}

/** The length of an ISO duration in minutes; months and years count 30 and 365 days, good enough to compare. */
export function minutesOf(iso: string): number {
  return Duration.fromISO(iso).as('minutes');
}
