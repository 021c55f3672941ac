import { merge } from '../../src/domain/merging.ts';
import type { Copy, Occurrence, Removal } from '../../src/domain/occurrence.ts';
import { ANNA, BEN, CEM, DAY, HOUR, holder, NOW, ROSTER, stored } from './planning-builders.ts';

/** One meeting of Anna's with Ben, two days ahead, as it stands on calendars. */

export const START = NOW + 2 * DAY;
export const context = { now: NOW, roster: ROSTER, blind: new Set<number>() };

export const annas = (given: Partial<Copy> = {}) => stored('a', START, holder(ANNA), given);
export const bens = (given: Partial<Copy> = {}) =>
  stored('b', START, holder(BEN, 'microsoft'), { copyId: 2, ownerIsOrganizer: false, ...given });
export const cems = (given: Partial<Copy> = {}) =>
  stored('c', START, holder(CEM), { copyId: 3, ownerIsOrganizer: false, ...given });
export const gone = (how: Removal, at = NOW - HOUR): Partial<Copy> => ({ removal: { at, how } });

export const meeting = (copies: readonly Copy[], given: Partial<Occurrence> = {}): Occurrence => ({
  occurrenceId: 1,
  lineage: 'meeting@x.org',
  originalStart: null,
  originalDate: null,
  start: START,
  end: START + HOUR,
  cancelled: null,
  organizer: 'anna@x.org',
  title: 'Mentoring',
  private: false,
  conference: null,
  reschedules: 0,
  firstSeenAt: NOW - 3 * DAY,
  copies,
  sessions: [],
  ...given,
});
/** What is stored once both copies were merged. */
export const booked = (copies: readonly Copy[] = [annas(), bens()]): Occurrence => {
  const merged = merge(meeting(copies), context);
  return { ...merged, sessions: merged.sessions.map((session, at) => ({ ...session, sessionId: at + 1 })) };
};
export const later = (was: Occurrence, copies: readonly Copy[], now = NOW): Occurrence =>
  merge({ ...was, copies }, { ...context, now });
