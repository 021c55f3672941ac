import { DateTime } from 'luxon';
import { toMilliseconds } from '../clock.ts';
import { neededSlot, type OnMeeting, type OnOccurrence } from './arguments.ts';
import { deliverCopies, keepHistory, meetingChanged } from './bookkeeping.ts';
import { googleInstanceId } from './identifiers.ts';
import { identifiersFor } from './meetings.ts';
import { categoriesAt, copySlotFor, occurrenceAt, overrideFor, ownResponse } from './occurrences.ts';
import { compactUtc, firstStart, localOf, rulePart, ruleSlots, slotsOf, withRulePart } from './recurrence.ts';
import type { Meeting, Override } from './types.ts';
import type { World } from './world.ts';

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** Moves a single meeting to another local time, length or zone. */
export function moveMeeting(
  world: World,
  args: OnMeeting & { start: string; minutes?: number; zone?: string },
): void {
  const meeting = world.meeting(args.meeting);
  if (meeting.recurrence !== null) throw new Error('a series moves by moveSeries or moveOccurrence');
  keepHistory(world, meeting);
  meeting.start = args.start;
  meeting.minutes = args.minutes ?? meeting.minutes;
  meeting.zone = args.zone ?? meeting.zone;
  meetingChanged(world, meeting, null);
}

/** Moves one occurrence; its original start, and so its identity, stays. */
export function moveOccurrence(
  world: World,
  args: OnOccurrence & { start: number | string; minutes?: number },
): void {
  const meeting = world.meeting(args.meeting);
  const slot = neededSlot(world, meeting, args.slot);
  keepHistory(world, meeting);
  const override = overrideFor(meeting, slot);
  override.start = toMilliseconds(args.start);
  override.end = override.start + (args.minutes ?? meeting.minutes) * 60_000;
  meetingChanged(world, meeting, slot);
}

/**
 * Moves all of a series: another time of day, weekday, length or rule. As with both providers, what single
 * occurrences had of their own is lost; only cancellations already past are carried to the new places.
 * With `keepCancelled` future cancellations are carried as well.
 */
export function moveSeries(
  world: World,
  args: OnMeeting & {
    time?: string;
    weekday?: string;
    minutes?: number;
    zone?: string;
    rule?: string;
    keepCancelled?: boolean;
  },
): void {
  const meeting = world.meeting(args.meeting);
  const recurrence = meeting.recurrence;
  if (recurrence === null) throw new Error('only a series moves by moveSeries');
  keepHistory(world, meeting);
  const before = ruleSlots(meeting, world.now());
  const overrides = [...meeting.overrides.values()];
  const { exdates } = recurrence;
  shiftSeries(meeting, args);
  const after = ruleSlots(meeting, world.now());
  const carried = (slot: number): number | undefined => after[before.indexOf(slot)];
  recurrence.exdates = exdates.flatMap((slot) => carried(slot) ?? []);
  meeting.overrides = new Map();
  for (const override of overrides) {
    const slot = carried(override.slot);
    if (slot === undefined || override.cancelledAt === undefined) continue;
    if (override.slot > world.now() && args.keepCancelled !== true) continue;
    overrideFor(meeting, slot).cancelledAt = override.cancelledAt;
  }
  sweepCopies(world, meeting, overrides);
  meetingChanged(world, meeting, null);
}

/**
 * "This and following": the series ends before `slot`, and another begins there. Google derives the new ids
 * from the old ones (`_R<stamp>`), Outlook makes unrelated ones. Gives the new meeting.
 */
export function splitSeries(
  world: World,
  args: OnOccurrence & { time?: string; weekday?: string; minutes?: number; title?: string; rule?: string },
): Meeting {
  const meeting = world.meeting(args.meeting);
  const slot = neededSlot(world, meeting, args.slot);
  const recurrence = meeting.recurrence;
  if (recurrence === null) throw new Error('only a series can be split');
  const index = ruleSlots(meeting, world.now()).indexOf(slot);
  if (index === 0) throw new Error('a split at the first occurrence is an edit of all: use moveSeries');
  keepHistory(world, meeting);
  const now = world.now();
  const count = rulePart(recurrence.rule, 'COUNT');
  const remaining =
    count === undefined
      ? recurrence.rule
      : withRulePart(recurrence.rule, 'COUNT', String(Number(count) - index));

  const made = splitIdentifiers(world, meeting, slot);
  const next: Meeting = {
    ...meeting,
    ...made,
    id: world.nextKey('m'),
    start: localOf(slot, meeting.allDay ? 'UTC' : meeting.zone),
    recurrence: { rule: remaining, exdates: recurrence.exdates.filter((date) => date >= slot) },
    title: args.title ?? meeting.title,
    ordinalOffset: meeting.ordinalOffset + index,
    overrides: new Map(),
    guests: meeting.guests.map((guest) => ({ ...guest })),
    createdAt: now,
    sequence: -1,
    history: [],
    historyUntil: now,
  };
  shiftSeries(next, args);
  recurrence.rule = withRulePart(
    withRulePart(recurrence.rule, 'COUNT', null),
    'UNTIL',
    untilBefore(meeting, slot),
  );
  recurrence.exdates = recurrence.exdates.filter((date) => date < slot);
  const swept = [...meeting.overrides.values()].filter((override) => override.slot >= slot);
  for (const override of swept) meeting.overrides.delete(override.slot);
  withdrawOccurrences(world, meeting, swept);
  world.meetings.set(next.id, next);
  deliverCopies(world, next);
  for (const copy of world.copiesOf(next.id)) {
    const old = world.copy(copy.person, meeting.id);
    if (old === undefined) continue;
    Object.assign(copy, {
      response: old.response,
      respondedAt: old.respondedAt,
      categories: [...old.categories],
      privateProperties: { ...old.privateProperties },
    });
  }
  meetingChanged(world, meeting, null);
  meetingChanged(world, next, null);
  return next;
}

/** A single meeting becomes a series, under the same ids. */
export function convertSingleToSeries(world: World, args: OnMeeting & { rule: string }): void {
  const meeting = world.meeting(args.meeting);
  if (meeting.recurrence !== null) throw new Error(`${meeting.id} is a series already`);
  keepHistory(world, meeting);
  meeting.recurrence = { rule: args.rule, exdates: [] };
  meetingChanged(world, meeting, null);
}

/** A series becomes one meeting, under the same ids: at `slot`, else at its next occurrence. */
export function convertSeriesToSingle(world: World, args: OnOccurrence): void {
  const meeting = world.meeting(args.meeting);
  if (meeting.recurrence === null) throw new Error(`${meeting.id} is a single meeting already`);
  const now = world.now();
  const slot =
    args.slot == null
      ? (slotsOf(meeting, now).find((candidate) => candidate > now) ?? firstStart(meeting))
      : neededSlot(world, meeting, args.slot);
  keepHistory(world, meeting);
  const kept = occurrenceAt(meeting, slot, now);
  meeting.start = localOf(kept.start, meeting.allDay ? 'UTC' : meeting.zone);
  meeting.minutes = Math.round((kept.end - kept.start) / 60_000);
  meeting.ordinalOffset = kept.ordinal;
  meeting.recurrence = null;
  const overrides = [...meeting.overrides.values()];
  meeting.overrides = new Map();
  sweepCopies(world, meeting, overrides);
  meetingChanged(world, meeting, null);
}

/**
 * One occurrence of a Google series becomes a meeting of its own: it keeps the id and the UID it had as an occurrence
 * and no longer says that it belongs to the series, which has nothing in its place
 * (https://github.com/KeepSoftwareSimple/compass-calendar/issues/1434). Gives the new meeting.
 */
export function detachOccurrence(world: World, args: OnOccurrence): Meeting {
  const meeting = world.meeting(args.meeting);
  if (meeting.home !== 'google') throw new Error('at Outlook an occurrence stays with its series');
  const slot = neededSlot(world, meeting, args.slot);
  keepHistory(world, meeting);
  const now = world.now();
  const kept = occurrenceAt(meeting, slot, now);
  const next: Meeting = {
    ...meeting,
    id: world.nextKey('m'),
    eventId: googleInstanceId(meeting, slot),
    instancePrefix: googleInstanceId(meeting, slot),
    title: kept.title,
    body: kept.body,
    start: localOf(kept.start, meeting.allDay ? 'UTC' : meeting.zone),
    minutes: Math.round((kept.end - kept.start) / 60_000),
    recurrence: null,
    ordinalOffset: kept.ordinal,
    overrides: new Map(),
    guests: kept.guests.map((guest) => ({ ...guest })),
    cancelledAt: kept.cancelledAt,
    sequence: -1,
    history: [],
    historyUntil: now,
  };
  world.meetings.set(next.id, next);
  deliverCopies(world, next);
  for (const copy of world.copiesOf(next.id)) {
    const old = world.copy(copy.person, meeting.id);
    if (old === undefined) continue;
    const { response, at } = ownResponse(old, slot);
    Object.assign(copy, {
      response,
      respondedAt: at,
      deletedAt: old.slots.get(slot)?.deletedAt ?? old.deletedAt,
      categories: [...categoriesAt(old, slot)],
      privateProperties: { ...old.privateProperties },
    });
  }
  meeting.recurrence?.exdates.push(slot);
  meeting.recurrence?.exdates.sort((a, b) => a - b);
  meeting.overrides.delete(slot);
  for (const copy of world.copiesOf(meeting.id)) copy.slots.delete(slot);
  meetingChanged(world, meeting, null);
  meetingChanged(world, next, null);
  return next;
}

/**
 * What people did to single occurrences goes with an edit of all. Who was invited to an occurrence alone and lost it
 * before still has its end told: a change feed forgets no deletion because of a later edit.
 */
function sweepCopies(world: World, meeting: Meeting, overrides: Override[]): void {
  for (const copy of world.copiesOf(meeting.id)) {
    for (const [slot, own] of copy.slots) {
      if (!copy.occurrencesOnly || own.deletedAt === null) copy.slots.delete(slot);
    }
  }
  withdrawOccurrences(world, meeting, overrides);
}

/** Who was invited to an occurrence alone loses it with the occurrence, and is told. */
function withdrawOccurrences(world: World, meeting: Meeting, overrides: Override[]): void {
  for (const { slot, added } of overrides) {
    for (const { person } of added) {
      const copy = person === null ? undefined : world.copy(person, meeting.id);
      if (copy === undefined || !copy.occurrencesOnly) continue;
      copySlotFor(copy, slot).deletedAt = world.now();
      world.touch(copy.person, meeting.id, slot);
    }
  }
}

/** Applies a new time of day, weekday, zone, length or rule to a series' first start and rule. */
function shiftSeries(
  meeting: Meeting,
  change: { time?: string; weekday?: string; minutes?: number; zone?: string; rule?: string },
): void {
  let start = DateTime.fromISO(meeting.start, { zone: 'utc' });
  if (change.time !== undefined) {
    const [hour = 0, minute = 0] = change.time.split(':').map(Number);
    start = start.set({ hour, minute });
  }
  let rule = change.rule ?? meeting.recurrence?.rule ?? '';
  if (change.weekday !== undefined) {
    const weekday = WEEKDAYS.indexOf(change.weekday) + 1;
    if (weekday === 0) throw new RangeError(`not a weekday: ${change.weekday}`);
    start = start.plus({ days: weekday - start.weekday });
    if (rulePart(rule, 'BYDAY') !== undefined) rule = withRulePart(rule, 'BYDAY', change.weekday);
  }
  meeting.start = start.toFormat("yyyy-MM-dd'T'HH:mm");
  meeting.zone = change.zone ?? meeting.zone;
  meeting.minutes = change.minutes ?? meeting.minutes;
  if (meeting.recurrence !== null) meeting.recurrence.rule = rule;
}

function splitIdentifiers(
  world: World,
  meeting: Meeting,
  slot: number,
): Pick<Meeting, 'uid' | 'eventId' | 'lineage' | 'instancePrefix'> {
  const base = meeting.eventId.replace(/_R\d{8}T\d{6}$/, '');
  const eventId = `${base}_R${compactUtc(slot).slice(0, -1)}`;
  // A series that was split, made single and grown again can come to the same stamp twice.
  const isTaken = [...world.meetings.values()].some((other) => other.eventId === eventId);
  if (meeting.home === 'microsoft' || isTaken) {
    const made = identifiersFor(world, meeting.home);
    return { ...made, lineage: made.uid, instancePrefix: made.eventId };
  }
  return {
    eventId,
    uid: `${eventId}@google.com`,
    lineage: meeting.lineage,
    // Both namings occur in the wild; no reader may lean on one.
    instancePrefix: world.random.below(2) === 0 ? base : eventId,
  };
}

/**
 * UNTIL is inclusive; Google writes the last second of the local day before the split, in UTC
 * (https://developers.google.com/workspace/calendar/api/guides/recurringevents: `UNTIL=20110617T065959Z` before what
 * follows from 10:00 on that day in Los Angeles), and Outlook knows only whole days (`endDate`). Were it the second
 * before the occurrence, an edit of all to an earlier hour would lay the day of the split out in both parts.
 */
function untilBefore(meeting: Meeting, slot: number): string {
  if (meeting.allDay) return compactUtc(slot - 86_400_000).slice(0, 8);
  return compactUtc(DateTime.fromMillis(slot, { zone: meeting.zone }).startOf('day').toMillis() - 1000);
}
