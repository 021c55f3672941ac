import type { Instant, ObservedPerson } from './observation.ts';
import type { MentorshipMembers, Roster } from './occurrence.ts';
import type { Role } from './roster.ts';

/** Which mentorships a meeting belongs to, by the people it brings together. */

export type Unmatched = 'no_mentorship' | 'no_mentor' | 'no_mentee' | 'outside_dates' | 'people_hidden';

/** By member. A program's mailbox brings every mentorship of the program, and each of its meetings asks. */
const byMember = new WeakMap<Roster, ReadonlyMap<number, readonly MentorshipMembers[]>>();

/** A member who was invited. */
export type Present = { readonly personId: number; readonly role: Role; readonly byGroup?: true };

/** The mentorships that somebody of the given people belongs to, ascending. */
function mentorshipsWith(people: ReadonlySet<number>, roster: Roster): MentorshipMembers[] {
  let index = byMember.get(roster);
  if (!index) {
    const made = new Map<number, MentorshipMembers[]>();
    for (const mentorship of roster.mentorships) {
      for (const { personId } of mentorship.members) {
        const those = made.get(personId);
        if (those) those.push(mentorship);
        else made.set(personId, [mentorship]);
      }
    }
    byMember.set(roster, made);
    index = made;
  }
  const found = new Set([...people].flatMap((personId) => index.get(personId) ?? []));
  return [...found].toSorted((a, b) => a.mentorshipId - b.mentorshipId);
}

/**
 * Which mentorships of a program a meeting belongs to: those of which it brings together both sides.
 * Somebody is named: a group's address alone, which may reach all mentorships of a program, makes none of them meet.
 * @returns the mentorships with who takes part, or why there is none
 */
export function mentorshipsOf(
  program: string,
  start: Instant,
  people: ReadonlyMap<string, ObservedPerson>,
  roster: Roster,
): {
  matched: Array<{ mentorship: MentorshipMembers; present: Present[] }>;
  because: Unmatched;
} {
  const present = new Set<number>();
  const reached = new Set<number>();
  for (const address of people.keys()) {
    const personId = roster.personOf.get(address);
    if (personId !== undefined) present.add(personId);
    for (const member of roster.groupOf?.get(address) ?? []) reached.add(member);
  }
  const matched = [];
  let because: Unmatched = 'no_mentorship';
  for (const mentorship of mentorshipsWith(present, roster)) {
    if (mentorship.program !== program) continue;
    const there = mentorship.members.flatMap((member): Present[] => {
      if (present.has(member.personId)) return [member];
      return reached.has(member.personId) ? [{ ...member, byGroup: true }] : [];
    });
    const count = (role: Role) => there.filter((member) => member.role === role).length;
    const bothSides = (count('mentor') > 0 && count('mentee') > 0) || count('peer') > 1;
    if (!bothSides) {
      if (because === 'no_mentorship')
        because = count('mentor') > 0 || count('peer') > 0 ? 'no_mentee' : 'no_mentor';
      continue;
    }
    if (start < mentorship.from || (mentorship.until !== null && start >= mentorship.until)) {
      because = 'outside_dates';
      continue;
    }
    matched.push({ mentorship, present: there });
  }
  return { matched, because };
}

/** The side of whoever could call the meeting off: its organizer. */
export function sideOf(
  organizer: string | null,
  mentorship: MentorshipMembers,
  roster: Roster,
): Role | 'other' | null {
  if (!organizer) return null;
  const personId = roster.personOf.get(organizer);
  return mentorship.members.find((member) => member.personId === personId)?.role ?? 'other';
}
