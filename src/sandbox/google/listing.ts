import { copyStatus, hasSlot, timesAt } from '../world/occurrences.ts';
import { createRandom, HEX } from '../world/random.ts';
import { firstSlots, slotsOf } from '../world/recurrence.ts';
import type { Copy, Meeting } from '../world/types.ts';
import type { Calendar, World } from '../world/world.ts';
import type { EventRef } from './event-resource.ts';

/** Google stops laying out an endless series after this many occurrences. */
const ENDLESS = 730;

/** The window of a listing: `from` is compared with ends, `until` with starts, both by present times. */
export interface Window {
  from: number | null;
  until: number | null;
}

/** A calendar's entries with series as masters and exceptions, deleted ones included. */
export function entriesOf(world: World, calendar: Calendar, window: Window): EventRef[] {
  return [...calendar.copies.values()].flatMap((copy) => {
    const meeting = world.meeting(copy.meeting);
    const whole = copyStatus(meeting, copy, null) === 'not_invited' ? [] : [{ meeting, copy, slot: null }];
    return [
      ...whole.filter((ref) => wholeInWindow(world, ref, window)),
      ...exceptions(world, meeting, copy, window),
    ];
  });
}

/** A calendar's entries with every series laid out; endless ones as far as Google goes. */
export function laidOut(world: World, calendar: Calendar, window: Window): EventRef[] {
  return [...calendar.copies.values()].flatMap((copy) => {
    const meeting = world.meeting(copy.meeting);
    if (meeting.recurrence !== null) return instancesOf(world, meeting, copy, window);
    const ref = { meeting, copy, slot: null };
    return wholeInWindow(world, ref, window) ? [ref] : [];
  });
}

/** The occurrences of one series on one calendar. */
export function instancesOf(world: World, meeting: Meeting, copy: Copy, window: Window): EventRef[] {
  const bounded = window.until !== null;
  const slots = bounded ? slotsOf(meeting, window.until ?? world.now()) : firstSlots(meeting, ENDLESS);
  return slots
    .map((slot) => ({ meeting, copy, slot }))
    .filter((ref) => overlaps(timesAt(meeting, ref.slot), window))
    .filter((ref) => copyStatus(meeting, copy, ref.slot) !== 'not_invited');
}

/** What changed on a calendar after a sequence: every row's present state, unbounded by any window. */
export function changedEntries(
  world: World,
  calendar: Calendar,
  afterSeq: number,
  expand: boolean,
): EventRef[] {
  const refs = world.changes(calendar.owner.id, afterSeq).flatMap((row): EventRef[] => {
    const meeting = world.meeting(row.meeting);
    const copy = calendar.copies.get(row.meeting);
    if (copy === undefined || copyStatus(meeting, copy, row.slot) === 'not_invited') return [];
    // Of an occurrence that an edit of all swept away only those are told who were invited to it alone.
    const isThere = row.slot === null || copy.occurrencesOnly || hasSlot(meeting, row.slot, world.now());
    if (!isThere) return [];
    if (!expand || row.slot !== null || meeting.recurrence === null)
      return [{ meeting, copy, slot: row.slot }];
    // One touched series becomes all its occurrences: why nobody should combine the two.
    return instancesOf(world, meeting, copy, { from: null, until: null });
  });
  const seen = new Set<string>();
  return refs.filter((ref) => {
    const key = `${ref.meeting.id}/${ref.slot}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}

/** An order nobody may rely on, the same at each call: the two halves of a split may come either way round. */
export function shuffled(refs: EventRef[], seed: number): EventRef[] {
  const rank = (ref: EventRef): string =>
    createRandom(seed).fork(`${ref.meeting.id}/${ref.slot}`).text(HEX, 8);
  return refs
    .map((ref) => ({ ref, rank: rank(ref) }))
    .sort((one, other) => one.rank.localeCompare(other.rank))
    .map(({ ref }) => ref);
}

/** When an entry went, null while it lives. */
export function goneSince({ meeting, copy, slot }: EventRef): number | null {
  if (copyStatus(meeting, copy, slot) === 'live') return null;
  const times = [
    meeting.cancelledAt,
    copy.deletedAt,
    copy.uninvitedAt,
    slot === null ? null : (copy.slots.get(slot)?.deletedAt ?? null),
    slot === null ? null : (meeting.overrides.get(slot)?.cancelledAt ?? null),
  ].filter((time) => time !== null);
  return times.length === 0 ? meeting.updatedAt : Math.min(...times);
}

/** Whether the whole series is off the calendar, so that its occurrences are not told one by one. */
export function seriesGone({ meeting, copy }: EventRef): boolean {
  if (copy.occurrencesOnly) return false;
  return meeting.cancelledAt !== null || copy.deletedAt !== null || copy.uninvitedAt !== null;
}

function exceptions(world: World, meeting: Meeting, copy: Copy, window: Window): EventRef[] {
  const slots = new Set([...meeting.overrides.keys(), ...copy.slots.keys()]);
  return [...slots]
    .filter((slot) => hasSlot(meeting, slot, world.now()))
    .map((slot) => ({ meeting, copy, slot }))
    .filter((ref) => overlaps(timesAt(meeting, ref.slot), window))
    .filter((ref) => copyStatus(meeting, copy, ref.slot) !== 'not_invited');
}

function wholeInWindow(world: World, { meeting }: EventRef, window: Window): boolean {
  if (window.from === null && window.until === null) return true;
  if (meeting.recurrence === null) return overlaps(timesAt(meeting, null), window);
  // A master belongs to a window when any of its occurrences does.
  const upTo = window.until ?? world.now();
  return slotsOf(meeting, upTo).some((slot) => overlaps(timesAt(meeting, slot), window));
}

function overlaps({ start, end }: { start: number; end: number }, window: Window): boolean {
  return (window.from === null || end > window.from) && (window.until === null || start < window.until);
}
