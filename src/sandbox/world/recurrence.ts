import { DateTime } from 'luxon';
import { RRuleTemporal } from 'rrule-temporal';
import { remembered } from './remembered.ts';
import type { Meeting } from './types.ts';

/** How far an endless series is laid out: Google itself stops at 730 daily occurrences, two years. */
const HORIZON_MS = 800 * 86_400_000;

interface Layout {
  key: string;
  until: number;
  slots: number[];
  /** Each original start's place in the rule. */
  places: Map<number, number>;
}
// Laying out a series is the world's only slow act, and every listing asks for it.
const layouts = new WeakMap<Meeting, Layout>();

/** The instant of a local time. All-day times are floating dates, kept as UTC midnights. */
export function instantOf(local: string, zone: string, allDay = false): number {
  return instantIn(local, allDay ? 'utc' : zone);
}

const instantIn = remembered((local: string, zone) => {
  const at = DateTime.fromISO(local, { zone });
  if (!at.isValid) throw new RangeError(`not a local time: ${local} in ${zone}`);
  return at.toMillis();
});

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
 * An endless rule is laid out to at least 800 days after the later of its first start and `now`.
 */
export function slotsOf(meeting: Meeting, now: number): readonly number[] {
  const exdates = meeting.recurrence?.exdates ?? [];
  const slots = ruleSlots(meeting, now);
  return exdates.length === 0 ? slots : slots.filter((slot) => !exdates.includes(slot));
}

/** As {@link slotsOf}, with excluded dates still in: their places count for ordinals. */
export function ruleSlots(meeting: Meeting, now: number): readonly number[] {
  return layoutOf(meeting, now)?.slots ?? [];
}

/** The place of an original start in its rule, counted from 0; undefined when the rule has none there. */
export function placeOf(meeting: Meeting, slot: number, now: number): number | undefined {
  return layoutOf(meeting, now)?.places.get(slot);
}

function layoutOf(meeting: Meeting, now: number): Layout | undefined {
  if (meeting.recurrence === null) return undefined;
  const first = firstStart(meeting);
  const needed = Math.max(first, now) + HORIZON_MS;
  const key = `${meeting.recurrence.rule}|${meeting.start}|${meeting.zone}|${meeting.allDay}`;
  const known = layouts.get(meeting);
  if (known?.key === key && known.until >= needed) return known;
  // Somewhat further than needed, so that a flowing clock does not lay out everything anew at each call.
  const until = needed + HORIZON_MS / 8;
  const slots = ruleOf(meeting)
    .between(new Date(first), new Date(until), true)
    .map((at) => at.epochMilliseconds);
  const layout = { key, until, slots, places: new Map(slots.map((slot, place) => [slot, place])) };
  layouts.set(meeting, layout);
  return layout;
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
  return `${new Date(instant).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** The first `count` original starts of a series, however far they reach. */
export function firstSlots(meeting: Meeting, count: number): number[] {
  const recurrence = meeting.recurrence;
  if (recurrence === null) return [];
  return ruleOf(meeting)
    .all((_slot, index) => index < count)
    .map((at) => at.epochMilliseconds)
    .filter((slot) => !recurrence.exdates.includes(slot));
}

function ruleOf(meeting: Meeting): RRuleTemporal {
  const zone = meeting.allDay ? 'UTC' : meeting.zone;
  const stamp = DateTime.fromMillis(firstStart(meeting), { zone }).toFormat("yyyyMMdd'T'HHmmss");
  return new RRuleTemporal({
    rruleString: `DTSTART;TZID=${zone}:${stamp}\nRRULE:${meeting.recurrence?.rule ?? ''}`,
  });
}
