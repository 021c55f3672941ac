import type { Role } from './roster.ts';
import {
  absent,
  accepts,
  bySides,
  came,
  expectedSides,
  isPeers,
  isThere,
  type Member,
  provenAbsent,
  type Sighting,
  someCorrected,
  strangersCouldHaveMet,
} from './sighting.ts';
import type { Decision, JudgementInput, Outcome } from './verdict.ts';

/**
 * What evidence means, as a table. The first row that applies decides; the last one always does.
 *
 * "Side" means the mentors against the mentees; among peers, any two different people are both sides. A side is
 * *missing* when everybody of it who was expected is absent: by a final record in which everybody is identified, by
 * somebody's word, or because they declined. An empty answer of a provider is never an absence: when nobody joins,
 * no record is made, and that looks the same as a meeting in the canteen. A guest is never the mentee. What each row
 * means for each person stands in `attendance.ts`.
 */
export type Situation =
  | 'corrected_to_met'
  | 'both_in_record'
  | 'corrected_to_came'
  | 'both_say_met'
  | 'one_says_met'
  | 'guest_with_one'
  | 'called_off_in_calendar'
  | 'words_contradict'
  | 'side_declined'
  | 'corrected_to_not_met'
  | 'both_but_briefly'
  | 'both_sides_missing'
  | 'one_side_missing'
  | 'group_instead_of_side'
  | 'guests_in_record'
  | 'record_of_too_little'
  | 'calendars_unread'
  | 'record_expired'
  | 'record_not_shown'
  | 'conference_without_record'
  | 'private_without_conference'
  | 'nothing_known';

export type ReasonOf<O extends Outcome> = Extract<Decision, { outcome: O }>['reason'];

/** One row. `reason` answers null when the evidence is not as the row says. */
type Row = {
  readonly [O in Outcome]: {
    /** The evidence, as a person would say it. */
    readonly when: string;
    readonly outcome: O;
    readonly reason: (seen: Sighting, input: JudgementInput) => ReasonOf<O> | null;
  };
}[Outcome];

const TABLE: { readonly [S in Situation]: Row } = {
  corrected_to_met: {
    when: 'an administrator says that they met',
    outcome: 'held',
    reason: (seen) => (seen.whole === 'met' ? 'corrected' : null),
  },
  both_in_record: {
    when: 'records show both sides, identified, together for the minimum; more of a record never undoes it',
    outcome: 'held',
    reason: (seen) =>
      seen.whole === null && seen.overlapMs > 0 && seen.overlapMs >= seen.minimumMs ? 'both_present' : null,
  },
  corrected_to_came: {
    when: 'both sides came, at least one of them by the word of an administrator',
    outcome: 'held',
    reason: (seen) =>
      seen.whole === null && someCorrected(seen) && bySides(seen, (member) => came(seen, member))
        ? 'corrected'
        : null,
  },
  both_say_met: {
    when: 'both sides say that they met, nobody the contrary, and the program accepts words',
    outcome: 'held',
    reason: (seen, { policy }) =>
      wordsAgree(seen) &&
      bySides(seen, ({ personId }) => seen.saysMet.has(personId)) &&
      accepts(policy, 'human_both')
        ? 'confirmed'
        : null,
  },
  one_says_met: {
    when: 'one says that they met, no record shows that they cannot have, and the program accepts one word; or the other side is in a record',
    outcome: 'held',
    reason: (seen, { policy }) => (oneConfirms(seen, policy) ? 'one_confirmed' : null),
  },
  guest_with_one: {
    when: 'one side is in a record together with somebody unidentified for the minimum, and the program accepts one side',
    outcome: 'held',
    reason: (seen, { policy }) =>
      wordsAgree(seen) &&
      seen.members.some(({ personId }) => seen.stays.has(personId)) &&
      strangersCouldHaveMet(seen) &&
      accepts(policy, 'conference_one')
        ? 'one_confirmed'
        : null,
  },
  called_off_in_calendar: {
    when: 'the calendar cancelled it; whatever is not known to have been held was not missed by anybody',
    outcome: 'cancelled',
    reason: (_, { cancelled }) => cancelled,
  },
  words_contradict: {
    when: 'words contradict each other, or one word contradicts a record',
    outcome: 'unknown',
    reason: (seen) => (seen.whole === null && contradictory(seen) ? 'disputed' : null),
  },
  side_declined: {
    when: 'all of one side declined or were excused, and nothing shows them present',
    outcome: 'cancelled',
    reason: (seen) => calledOffBy(seen),
  },
  corrected_to_not_met: {
    when: 'an administrator says that they did not meet, although both sides came',
    outcome: 'too_short',
    reason: (seen) => (seen.whole === 'not_met' && bothThere(seen) ? 'corrected' : null),
  },
  both_but_briefly: {
    when: 'records show both sides, not long enough together, and nobody unidentified who could fill the rest',
    outcome: 'too_short',
    reason: (seen) => (bothRecorded(seen) && briefly(seen) ? 'overlap_too_short' : null),
  },
  both_sides_missing: {
    when: 'everybody expected is missing',
    outcome: 'no_one',
    reason: (seen) => {
      if (!isMeeting(seen) || bothThere(seen) || sidesNotMissing(seen).length > 0) return null;
      return seen.whole === 'not_met' || someAbsentByCorrection(seen) ? 'corrected' : 'both_absent';
    },
  },
  one_side_missing: {
    // The other side need not be proven present: that one cannot have met is known, and nobody else is accused.
    when: 'one side is missing, so that they cannot have met; the other came, or nothing is known of it',
    outcome: 'one_sided',
    reason: (seen) => {
      if (!isMeeting(seen) || bothThere(seen) || sidesNotMissing(seen).length !== 1) return null;
      const role = expectedSides(seen).find((side) => isMissing(seen, side))?.[0]?.role;
      return role === undefined ? null : `${role}_absent`;
    },
  },
  group_instead_of_side: {
    when: 'nobody identified is of the side that was invited by a group’s address, or came by a group’s account',
    outcome: 'unknown',
    reason: (seen) => (groupStandsIn(seen) ? 'group_address' : null),
  },
  guests_in_record: {
    when: 'somebody or something unidentified is in a record',
    outcome: 'unknown',
    reason: (seen) => (seen.strangers.length > 0 ? 'guest_only' : null),
  },
  record_of_too_little: {
    when: 'there is a record, and it is not final or lacks what would decide',
    outcome: 'unknown',
    reason: (seen) => (seen.recorded ? 'no_record' : null),
  },
  calendars_unread: {
    when: 'no calendar that holds the session was read since it began',
    outcome: 'unknown',
    reason: (_, { sightLost }) => (sightLost ? 'sync_gap' : null),
  },
  record_expired: {
    when: 'the provider has deleted its records since',
    outcome: 'unknown',
    reason: (_, input) => (answered(input, ['expired']) ? 'expired' : null),
  },
  record_not_shown: {
    when: 'the provider shows its records to the organizer only, or not to us',
    outcome: 'unknown',
    reason: (_, input) => (answered(input, ['no_permission', 'external_organizer']) ? 'no_permission' : null),
  },
  conference_without_record: {
    when: 'there was a link to meet by, and no record of anybody who used it',
    outcome: 'unknown',
    reason: (_, { conference }) => (conference === null ? null : 'no_record'),
  },
  private_without_conference: {
    when: 'the entry is private and shows no link',
    outcome: 'unknown',
    reason: (_, { isPrivate }) => (isPrivate ? 'private_event' : null),
  },
  nothing_known: {
    when: 'no link: they meant to meet in person, which nothing records',
    outcome: 'unknown',
    reason: () => 'in_person',
  },
};

/** The row that applies and what it says. */
export function decide(input: JudgementInput, seen: Sighting): Decision & { readonly situation: Situation } {
  for (const [situation, row] of Object.entries(TABLE) as Array<[Situation, Row]>) {
    const reason = row.reason(seen, input);
    if (reason === null) continue;
    // Called off and met after all: the meeting counts, and the reason keeps the contradiction.
    if (row.outcome === 'held' && input.cancelled !== null) {
      return { situation, outcome: 'held', reason: 'although_cancelled' };
    }
    // The type of a row ties its reasons to its outcome; the compiler loses that once a row is picked at run time.
    return { situation, outcome: row.outcome, reason } as Decision & { readonly situation: Situation };
  }
  throw new Error('the last row of the table always applies');
}

/** Nobody says that they did not meet. One who does makes every word a dispute, never a proof. */
function wordsAgree(seen: Sighting): boolean {
  return seen.whole === null && seen.saysNotMet.size === 0 && !contradicted(seen);
}

/** Somebody said to be absent was seen, or says (or is said by another) to have met. */
function contradicted(seen: Sighting): boolean {
  return [...seen.saidAbsent].some(
    ([personId, by]) =>
      seen.corrected.get(personId) === undefined &&
      (seen.stays.has(personId) || [...seen.saysMet].some((speaker) => !by.has(speaker))),
  );
}

function contradictory(seen: Sighting): boolean {
  const words = seen.saysMet.size > 0 && seen.saysNotMet.size > 0;
  return words || contradicted(seen) || (seen.saysMet.size > 0 && provenAbsent(seen));
}

function oneConfirms(seen: Sighting, policy: JudgementInput['policy']): boolean {
  if (!wordsAgree(seen) || seen.saysMet.size === 0 || provenAbsent(seen)) return false;
  if (accepts(policy, 'human_one')) return true;
  const known = ({ personId }: Member) => seen.stays.has(personId) || seen.saysMet.has(personId);
  return bySides(seen, known) && (accepts(policy, 'human_both') || accepts(policy, 'conference_one'));
}

/** The side that said it would not come and did not. */
function calledOffBy(seen: Sighting): `declined_by_${Role}` | null {
  // Somebody unidentified may be the one who declined and came after all.
  if (seen.whole === 'not_met' || strangersCouldHaveMet(seen) || seen.saysMet.size > 0) return null;
  const stayedAway = (member: Member) => {
    const word = seen.corrected.get(member.personId);
    if (word !== undefined) return word === 'excused';
    return !seen.stays.has(member.personId) && (member.declined || seen.saidExcused.has(member.personId));
  };
  const sides = expectedSides(seen);
  const away = sides.filter((side) => side.length > 0 && side.every(stayedAway));
  if (isPeers(seen.members))
    return sides.length >= 2 && sides.length - away.length < 2 ? 'declined_by_peer' : null;
  const role = away[0]?.[0]?.role;
  return role === undefined ? null : `declined_by_${role}`;
}

function bothThere(seen: Sighting): boolean {
  return bySides(seen, (member) => isThere(seen, member));
}

function bothRecorded(seen: Sighting): boolean {
  return bySides(seen, ({ personId }) => seen.stays.has(personId));
}

/** The sides that may have been there, as far as is known. Fewer than two of them cannot have met. */
function sidesNotMissing(seen: Sighting): Member[][] {
  return expectedSides(seen).filter((side) => !isMissing(seen, side));
}

/** A side that has nobody (its members left the roster) cannot be missing: nobody was expected. */
function isMissing(seen: Sighting, side: readonly Member[]): boolean {
  return side.length > 0 && side.every((member) => absent(seen, member));
}

/** Whether at least two sides were expected at all. */
function isMeeting(seen: Sighting): boolean {
  return expectedSides(seen).length >= 2;
}

function briefly(seen: Sighting): boolean {
  // A record that names people without their times says that they came, not for how long.
  if (seen.untimed.size > 0) return false;
  // A dial-in beside the laptop may hold the minutes that the laptop lacks.
  return seen.notMetAccepted || !strangersCouldHaveMet(seen);
}

function someAbsentByCorrection(seen: Sighting): boolean {
  return [...seen.corrected.values()].some((status) => status === 'absent' || status === 'excused');
}

function groupStandsIn(seen: Sighting): boolean {
  if (!seen.recorded) return false;
  if (seen.strangers.length > 0) return seen.strangersAreGroups;
  return expectedSides(seen).some(
    (side) =>
      side.some((member) => member.byGroup && !absent(seen, member)) &&
      !side.some((member) => isThere(seen, member)),
  );
}

function answered(input: JudgementInput, answers: readonly string[]): boolean {
  return input.sources.some(({ lastAnswer }) => lastAnswer !== null && answers.includes(lastAnswer));
}
