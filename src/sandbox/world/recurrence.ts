import { DateTime } from 'luxon';
import { RRuleTemporal } from 'rrule-temporal';
import type { Meeting } from './types.ts';

/** How far an endless series is laid out: Google itself stops at 730 daily occurrences, two years. */
const HORIZON_MS = 800 * 86_400_000;

interface Layout {
  key: string;
  slots: number[];
}
// Laying out a series is the world's only slow act, and every listing asks for it.
const layouts = new WeakMap<Meeting, Layout>();

/** The instant of a local time. All-day times are floating dates, kept as UTC midnights. */
export function instantOf(local: string, zone: string, allDay = false): number {
  const at = DateTime.fromISO(local, { zone: allDay ? 'utc' : zone });
  if (!at.isValid) throw new RangeError(`not a local time: ${local} in ${zone}`);
  return at.toMillis();
}

/** The local time of an instant, as the world writes it. */
export function localOf(instant: number, zone: string): string {
  return DateTime.fromMillis(instant, { zone }).toFormat("yyyy-MM-dd'T'HH:mm");
}

/** The first start of a meeting. */
export function firstStart(meeting: Meeting): number {
  return instantOf(meeting.start, meeting.zone, meeting.allDay);
}

/**
 * The original starts of a recurring meeting, ascending, excluded dates left out.
 * An endless rule is laid out to 800 days after the later of its first start and `now`.
 */
export function slotsOf(meeting: Meeting, now: number): readonly number[] {
  if (meeting.recurrence === null) return [];
  return ruleSlots(meeting, now).filter((slot) => !meeting.recurrence?.exdates.includes(slot));
}

/** As {@link slotsOf}, with excluded dates still in: their places count for ordinals. */
export function ruleSlots(meeting: Meeting, now: number): readonly number[] {
  const recurrence = meeting.recurrence;
  if (recurrence === null) return [];
  const first = firstStart(meeting);
  // Rounded up, so that a flowing clock does not lay out everything anew at each call.
  const until = Math.ceil((Math.max(first, now) + HORIZON_MS) / (30 * 86_400_000)) * 30 * 86_400_000;
  const key = `${recurrence.rule}|${meeting.start}|${meeting.zone}|${meeting.allDay}|${until}`;
  const known = layouts.get(meeting);
  if (known?.key === key) return known.slots;
  const zone = meeting.allDay ? 'UTC' : meeting.zone;
  const stamp = DateTime.fromMillis(first, { zone }).toFormat("yyyyMMdd'T'HHmmss");
  const rule = new RRuleTemporal({
    rruleString: `DTSTART;TZID=${zone}:${stamp}\nRRULE:${recurrence.rule}`,
  });
  const slots = rule.between(new Date(first), new Date(until), true).map((at) => at.epochMilliseconds);
  layouts.set(meeting, { key, slots });
  return slots;
}

/** The value of one part of a rule (`BYDAY`, `UNTIL`…), or undefined. */
export function rulePart(rule: string, name: string): string | undefined {
  return rule
    .split(';')
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** The rule with one part set, or taken out when the value is null. */
export function withRulePart(rule: string, name: string, value: string | null): string {
  const kept = rule.split(';').filter((part) => part !== '' && !part.startsWith(`${name}=`));
  return (value === null ? kept : [...kept, `${name}=${value}`]).join(';');
}

/** An instant as RRULE and Google ids write it (`20261201T090000Z`). */
export function compactUtc(instant: number): string {
  return DateTime.fromMillis(instant, { zone: 'utc' }).toFormat("yyyyMMdd'T'HHmmss'Z'");
}
