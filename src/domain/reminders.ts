import { type DateTime, Duration } from 'luxon';
import type { IsoDuration, QuietHours } from './program.ts';

/**
 * When a reminder leaves. Reminders go to everybody invited who did not decline, at each of the program's
 * offsets before the start. A session found late does not make up for all of them: only the nearest missed one is
 * sent, at once, and only while more than half of its offset is left ("in 24 hours" makes sense 13 hours ahead, not
 * three minutes ahead).
 */

/** At most so many reminders a person and day; further ones are suppressed with the reason `daily_cap`. */
export const REMINDERS_A_DAY = 3;

export const SUPPRESSIONS = [
  'session_cancelled',
  'declined',
  'other_side_declined',
  'not_invited',
  'not_in_policy',
  'too_late',
  'quiet_hours',
  'daily_cap',
] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** A session as one invited person has to be reminded of it. */
export type ReminderFacts = {
  readonly startsAt: DateTime;
  readonly cancelled: boolean;
  /** The person declined. */
  readonly declined: boolean;
  /** Everybody on the other side declined: there is nobody to meet. */
  readonly otherSideDeclined: boolean;
  /** IANA zone of the person. */
  readonly zone: string;
};

export type ReminderPlan = {
  readonly offset: IsoDuration;
  readonly dueAt: DateTime;
  readonly suppressed: Suppression | null;
};

/**
 * One plan for each offset, or none at all once the session has started.
 * @param offsets ISO 8601 durations before the start, in any order; a repeated one counts once
 */
export function planReminderTimes(
  facts: ReminderFacts,
  offsets: readonly IsoDuration[],
  quiet: QuietHours | null,
  now: DateTime,
): ReminderPlan[] {
  if (facts.startsAt <= now) return [];
  const timed = [...new Set(offsets)]
    .map((offset) => ({ offset, at: facts.startsAt.minus(Duration.fromISO(offset)) }))
    .sort((one, other) => one.at.toMillis() - other.at.toMillis());
  const nearestMissed = timed.filter(({ at }) => at <= now).at(-1);
  const reason = unwanted(facts);
  return timed.map(({ offset, at }) => {
    if (reason !== null) return { offset, dueAt: at, suppressed: reason };
    if (at > now) return { offset, ...outsideQuietHours(at, facts, quiet, now) };
    const half = facts.startsAt.diff(at).as('milliseconds') / 2;
    const left = facts.startsAt.diff(now).as('milliseconds');
    if (at !== nearestMissed?.at || left <= half) return { offset, dueAt: at, suppressed: 'too_late' };
    return { offset, ...outsideQuietHours(now, facts, quiet, now) };
  });
}

function unwanted(facts: ReminderFacts): Suppression | null {
  if (facts.cancelled) return 'session_cancelled';
  if (facts.declined) return 'declined';
  return facts.otherSideDeclined ? 'other_side_declined' : null;
}

type Timed = { readonly dueAt: DateTime; readonly suppressed: Suppression | null };

/**
 * A mail that falls into the quiet hours waits for their end, while that leaves at least half of the time it was
 * to leave; else it goes shortly before they begin; if that has passed too, it is not sent.
 */
function outsideQuietHours(
  at: DateTime,
  facts: ReminderFacts,
  quiet: QuietHours | null,
  now: DateTime,
): Timed {
  const hours = quiet === null ? null : quietAround(at, quiet, facts.zone);
  if (hours === null) return { dueAt: at, suppressed: null };
  const half = facts.startsAt.diff(at).as('milliseconds') / 2;
  if (facts.startsAt.diff(hours.until).as('milliseconds') >= half && hours.until < facts.startsAt) {
    return { dueAt: hours.until.toUTC(), suppressed: null };
  }
  const before = hours.from.minus({ minutes: 5 }).toUTC();
  return before > now ? { dueAt: before, suppressed: null } : { dueAt: at, suppressed: 'quiet_hours' };
}

/** The quiet hours that hold `at`, as instants of that night, or null when it lies outside them. */
export function quietAround(
  at: DateTime,
  quiet: QuietHours,
  zone: string,
): { readonly from: DateTime; readonly until: DateTime } | null {
  const local = at.setZone(zone);
  for (const days of [0, -1]) {
    const day = local.plus({ days });
    const from = onDay(day, quiet.from);
    let until = onDay(day, quiet.until);
    if (until <= from) until = onDay(day.plus({ days: 1 }), quiet.until);
    if (from <= local && local < until) return { from, until };
  }
  return null;
}

function onDay(day: DateTime, time: string): DateTime {
  const [hour, minute] = time.split(':').map(Number);
  return day.startOf('day').set({ hour: hour ?? 0, minute: minute ?? 0 });
}
