import { mentorshipsOf } from './membership.ts';
import type { Instant, ObservedCopy, ObservedPerson, Window } from './observation.ts';
import type { Roster } from './occurrence.ts';

/**
 * Candidates: untagged events that hold both sides of a mentorship, where its program asks for them. They are listed
 * so that somebody may say "you forgot the tag", and never counted. Nothing of them is kept but whose they are and
 * when; what their owner calls private, or the provider hides, is none of our business and no candidate.
 */

/** What candidates on one calendar are told by. */
export interface CandidateSearch {
  /** The mentorships of programs that ask for candidates, as far as this calendar's owner belongs to them. */
  readonly roster: Roster;
  /** Source id of what is listed of this calendar -> its series; `null` for a single event. */
  readonly listed: ReadonlyMap<string, string | null>;
}

/** What a pass says of one event. Without mentorships: it is no candidate (any more). */
export interface StagedCandidate {
  readonly sourceId: string;
  readonly seriesId: string | null;
  readonly mentorshipIds: readonly number[];
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * The mentorships of which an untagged event holds both sides, ascending.
 * @param owner address of the calendar it stands on; its owner takes part
 * @param sight nothing outside of it is listed
 */
export function candidateFor(copy: ObservedCopy, owner: string, roster: Roster, sight: Window): number[] {
  if (copy.allDay || !copy.ordinary || copy.private || copy.hidden || copy.status === 'cancelled') return [];
  if (copy.start < sight.from || copy.start >= sight.until) return [];
  const people = new Map<string, ObservedPerson>(copy.people.map((person) => [person.address, person]));
  for (const address of [owner, copy.organizer]) {
    if (address === null || people.has(address)) continue;
    people.set(address, { address, name: null, response: 'none', organizer: false, optional: false });
  }
  const programs = new Set(roster.mentorships.map((mentorship) => mentorship.program));
  return [...programs]
    .flatMap((program) => mentorshipsOf(program, copy.start, people, roster).matched)
    .map(({ mentorship }) => mentorship.mentorshipId)
    .toSorted((one, other) => one - other);
}
