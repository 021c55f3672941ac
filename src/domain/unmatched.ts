import { type MergeContext, peopleOf } from './copies.ts';
import { mentorshipsOf, type Unmatched } from './membership.ts';
import type { Instant } from './observation.ts';
import { isLive, type Occurrence } from './occurrence.ts';
import type { StagedCopy, StagedRemoval } from './pass.ts';
import { distinct } from './placing.ts';
import type { Change, Plan } from './planning.ts';

/** Tagged events that are no sessions, and why. */

export interface UnmatchedEvent {
  readonly sourceId: string;
  readonly program: string;
  readonly start: Instant;
  readonly reason: Unmatched | 'all_day' | 'not_a_meeting';
}

/** Why tagged events are no sessions, and which of them are (or are no longer tagged at all). */
export function unmatchedOf(
  staged: readonly StagedCopy[],
  removals: readonly StagedRemoval[],
  calendarId: number,
  changes: readonly Change[],
  stored: readonly Occurrence[],
  context: MergeContext,
): Pick<Plan, 'unmatched' | 'nowMatched'> {
  const occurrenceOf = new Map<string, Occurrence>();
  for (const occurrence of [...stored, ...changes.map((change) => change.after)]) {
    for (const copy of occurrence.copies) {
      if (copy.holder.calendarId === calendarId && isLive(copy)) occurrenceOf.set(copy.sourceId, occurrence);
    }
  }
  const unmatched: UnmatchedEvent[] = [];
  const shown = new Set(staged.map((copy) => copy.sourceId));
  const nowMatched = removals.map((removal) => removal.sourceId).filter((id) => !shown.has(id));
  for (const copy of staged) {
    const programs = copy.status === 'cancelled' ? [] : distinct(copy.matched.map((match) => match.program));
    const reasons = programs.flatMap((program): UnmatchedEvent[] => {
      const entry = { sourceId: copy.sourceId, program, start: copy.start };
      if (copy.allDay) return [{ ...entry, reason: 'all_day' }];
      if (!copy.ordinary) return [{ ...entry, reason: 'not_a_meeting' }];
      const people = peopleOf(occurrenceOf.get(copy.sourceId)?.copies ?? []);
      const { matched, because } = mentorshipsOf(program, copy.start, people, context.roster);
      if (matched.length > 0) return [];
      return [
        { ...entry, reason: because === 'no_mentorship' && copy.peopleOmitted ? 'people_hidden' : because },
      ];
    });
    if (reasons.length > 0) unmatched.push(...reasons);
    else nowMatched.push(copy.sourceId);
  }
  return { unmatched, nowMatched };
}
