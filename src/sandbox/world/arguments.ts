import { toMilliseconds } from '../clock.ts';
import { hasSlot } from './occurrences.ts';
import type { Meeting } from './types.ts';
import type { World } from './world.ts';

/**
 * Operations take plain data, so that the control port can pass JSON straight on: people by key or address,
 * meetings by key, instants as ISO text or milliseconds. `slot` is an occurrence's original start.
 */
export interface OnMeeting {
  meeting: string;
}

export interface OnOccurrence extends OnMeeting {
  /** Left out or null: the single event, or the whole series. */
  slot?: number | string | null;
}

/** The occurrence an operation is about. Throws when the meeting has no such original start. */
export function slotOf(
  world: World,
  meeting: Meeting,
  slot: number | string | null | undefined,
): number | null {
  if (slot === undefined || slot === null) return null;
  const instant = toMilliseconds(slot);
  if (!hasSlot(meeting, instant, world.now())) {
    throw new Error(
      `meeting ${meeting.id} has no occurrence originally at ${new Date(instant).toISOString()}`,
    );
  }
  return instant;
}

/** As {@link slotOf}, for operations that make no sense on a whole series. */
export function neededSlot(world: World, meeting: Meeting, slot: number | string | null | undefined): number {
  const found = slotOf(world, meeting, slot);
  if (found === null) throw new Error(`meeting ${meeting.id}: name an occurrence by its original start`);
  return found;
}
