import { toMilliseconds } from '../clock.ts';
import { type OnMeeting, type OnOccurrence, slotOf } from './arguments.ts';
import { deliverCopies, meetingChanged } from './bookkeeping.ts';
import { localOf } from './recurrence.ts';
import { moveMeeting, moveOccurrence } from './schedule.ts';
import type { Copy } from './types.ts';
import type { World } from './world.ts';

/**
 * What organizers do in Outlook and send to nobody: their own copy shows it, marked as a draft, while the meeting stays
 * what everybody else has.
 */

/** Drags a single meeting, or one occurrence, to another time on the organizer's calendar alone. */
export function dragUnsent(
  world: World,
  args: OnOccurrence & { start: number | string; minutes?: number },
): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  if (slot === null && meeting.recurrence !== null) throw new Error('drag one occurrence of a series');
  const start = toMilliseconds(args.start);
  const end = start + (args.minutes ?? meeting.minutes) * 60_000;
  const copy = organizersCopy(world, args.meeting);
  copy.unsent ??= { isNew: false, times: new Map() };
  copy.unsent.times.set(slot, { start, end });
  world.touch(meeting.organizer, meeting.id, slot);
}

/** Sends what the organizer has changed, or made, since they last sent. */
export function sendUnsent(world: World, args: OnMeeting): void {
  const meeting = world.meeting(args.meeting);
  const copy = organizersCopy(world, args.meeting);
  if (copy.unsent === undefined) return;
  const { isNew, times } = copy.unsent;
  delete copy.unsent;
  for (const [slot, { start, end }] of times) {
    const minutes = (end - start) / 60_000;
    if (slot !== null) moveOccurrence(world, { meeting: meeting.id, slot, start, minutes });
    else moveMeeting(world, { meeting: meeting.id, start: localOf(start, meeting.zone), minutes });
  }
  if (!isNew) return;
  deliverCopies(world, meeting);
  meetingChanged(world, meeting, null);
}

/** Whether an event of this copy is shown as a draft. */
export function isDraft(copy: Copy, slot: number | null): boolean {
  return copy.unsent !== undefined && (copy.unsent.isNew || copy.unsent.times.has(slot));
}

function organizersCopy(world: World, meeting: string): Copy {
  const copy = world.copy(world.meeting(meeting).organizer, meeting);
  if (copy === undefined) throw new Error(`meeting ${meeting} is not on its organizer's calendar`);
  return copy;
}
