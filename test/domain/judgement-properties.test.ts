import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/domain/evidence.ts';
import { judge } from '../../src/domain/judgement.ts';
import type { AcceptableTier } from '../../src/domain/program.ts';
import type { Role } from '../../src/domain/roster.ts';
import {
  correction,
  guest,
  LATER,
  MENTEE,
  MENTOR,
  record,
  said,
  session,
  statuses,
  stay,
} from './judgement-builders.ts';

const minutes = fc.integer({ min: -90, max: 150 });
const STRANGER = 99;
/** Mentors, mentees and peers of every shape below, and one who belongs to nobody. */
const people = fc.constantFrom(MENTOR, MENTEE, 3, 4, STRANGER);
const speakers = fc.constantFrom(MENTOR, MENTEE, 3, 4);
const stays = fc
  .tuple(people, minutes, fc.integer({ min: 0, max: 60 }))
  .map(([personId, from, length]) => stay(personId, from, from + length));
const strangers = fc
  .tuple(minutes, fc.integer({ min: 0, max: 60 }))
  .map(([from, length]) => guest(from, from + length));
const words = fc
  .tuple(speakers, fc.constantFrom('met' as const, 'not_met' as const, 'absent' as const))
  .map(([personId, kind]) => said({ source: 'answer', kind, personId }));
/** Another system's word about the session. */
const systems = fc
  .constantFrom('met' as const, 'not_met' as const)
  .map((kind) => said({ source: 'external', kind }));
const corrections = fc
  .tuple(speakers, fc.constantFrom('presence', 'absent', 'excused', 'withdrawn'))
  .map(([personId, kind]) => correction(kind as Evidence['kind'], personId));
const records = fc.constant(null).map(record);
const observed = fc.array(fc.oneof(stays, strangers, records), { maxLength: 8 });
const anything = fc.array(fc.oneof(stays, strangers, records, words, systems, corrections), {
  maxLength: 10,
});
const rsvp = fc.constantFrom('accepted' as const, 'declined' as const, 'tentative' as const, 'none' as const);
const invited = (...roles: ReadonlyArray<readonly [number, Role]>) =>
  fc
    .array(rsvp, { minLength: roles.length, maxLength: roles.length })
    .map((answers) =>
      roles.map(([personId, role], index) => ({ personId, role, rsvp: answers[index] ?? 'none' })),
    );
const pair = invited([MENTOR, 'mentor'], [MENTEE, 'mentee']);
/** A pair, one whose mentee was reached by a group's address, a circle, two mentors, a pair of a larger mentorship, two peers and three. */
const shapes = fc.oneof(
  pair.map((participants) => ({ participants, uninvited: [] })),
  pair.map((participants) => ({
    participants: participants.map((person) =>
      person.personId === MENTEE ? { ...person, byGroup: true as const } : person,
    ),
    uninvited: [],
  })),
  invited([MENTOR, 'mentor'], [MENTEE, 'mentee'], [3, 'mentee'], [4, 'mentee']).map((participants) => ({
    participants,
    uninvited: [],
  })),
  invited([MENTOR, 'mentor'], [3, 'mentor'], [MENTEE, 'mentee']).map((participants) => ({
    participants,
    uninvited: [{ personId: 4, role: 'mentee' as const }],
  })),
  invited([MENTOR, 'peer'], [MENTEE, 'peer']).map((participants) => ({ participants, uninvited: [] })),
  invited([MENTOR, 'peer'], [MENTEE, 'peer'], [3, 'peer']).map((participants) => ({
    participants,
    uninvited: [{ personId: 4, role: 'peer' as const }],
  })),
);
const circumstances = fc.record({
  cancelled: fc.constantFrom(null, null, 'cancelled' as const, 'deleted' as const),
  conference: fc.constantFrom('meet' as const, 'teams' as const, 'other' as const, null),
  sources: fc.array(
    fc.record({
      state: fc.constantFrom('waiting' as const, 'final' as const, 'cannot_tell' as const),
      lastAnswer: fc.constantFrom('nothing', 'records', 'no_permission', null),
      due: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  policy: fc
    .uniqueArray(
      fc.constantFrom<AcceptableTier>('conference_both', 'human_both', 'conference_one', 'human_one'),
    )
    .map((accept) => ({ minimum: { minutes: 5, share: 0.2 }, accept })),
});
const facts = fc.tuple(circumstances, shapes).map(([rest, shape]) => ({ ...rest, ...shape }));
const factsOfPair = fc.tuple(circumstances, pair).map(([rest, participants]) => ({ ...rest, participants }));

describe('whatever the evidence', () => {
  it('its order never matters', () => {
    fc.assert(
      fc.property(facts, anything, fc.infiniteStream(fc.nat()), (given, evidence, keys) => {
        const shuffled = evidence
          .map((row) => ({ row, key: keys.next().value }))
          .sort((one, other) => one.key - other.key)
          .map(({ row }) => row);
        expect(judge(session({ ...given, evidence: shuffled }), LATER)).toEqual(
          judge(session({ ...given, evidence }), LATER),
        );
      }),
    );
  });

  it('a record that holds a session is never outweighed by more of a record', () => {
    fc.assert(
      fc.property(facts, observed, observed, (given, first, second) => {
        const before = judge(session({ ...given, evidence: first }), LATER);
        const after = judge(session({ ...given, evidence: [...first, ...second] }), LATER);
        if (before.outcome === 'held' && before.tier === 'conference_both')
          expect(after.outcome).toBe('held');
        if (before.outcome === 'held') expect(after.outcome).not.toBe('unknown');
      }),
    );
  });

  it('a cancelled session is cancelled or was held, never a no-show', () => {
    fc.assert(
      fc.property(facts, anything, (given, evidence) => {
        const { outcome } = judge(session({ ...given, cancelled: 'cancelled', evidence }), LATER);
        expect(['cancelled', 'held']).toContain(outcome);
      }),
    );
  });

  it('without a record and without a word nobody is absent', () => {
    fc.assert(
      fc.property(facts, fc.array(fc.oneof(stays, strangers)), (given, evidence) => {
        const verdict = judge(session({ ...given, evidence }), LATER);
        expect(Object.values(statuses(verdict))).not.toContain('absent');
        expect(['one_sided', 'no_one']).not.toContain(verdict.outcome);
      }),
    );
  });

  it('held always means two sides: present, said, or corrected', () => {
    fc.assert(
      fc.property(factsOfPair, observed, (given, evidence) => {
        const strict = { ...given, policy: { ...given.policy, accept: ['conference_both' as const] } };
        const verdict = judge(session({ ...strict, evidence }), LATER);
        const came = Object.values(statuses(verdict)).filter((status) => status === 'attended').length;
        if (verdict.outcome === 'held') expect(came).toBe(2);
      }),
    );
  });

  it('the order of people never matters', () => {
    fc.assert(
      fc.property(facts, anything, (given, evidence) => {
        const turned = {
          ...given,
          participants: given.participants.toReversed(),
          uninvited: given.uninvited.toReversed(),
          sources: given.sources.toReversed(),
        };
        const { participants, ...rest } = judge(session({ ...given, evidence }), LATER);
        const { participants: others, ...same } = judge(session({ ...turned, evidence }), LATER);
        expect(same).toEqual(rest);
        expect(others.toReversed()).toEqual(participants);
      }),
    );
  });

  it('what is said at the same time by different people has no first and last', () => {
    fc.assert(
      fc.property(facts, fc.array(words, { maxLength: 6 }), (given, evidence) => {
        const bySpeaker = Map.groupBy(evidence, (row) => row.personId);
        const regrouped = [...bySpeaker.values()]
          .toReversed()
          .flat()
          .map((row, index) => ({ ...row, evidenceId: index, seenAt: row.seenAt - row.seenAt + index }));
        const before = judge(session({ ...given, evidence }), LATER);
        expect(judge(session({ ...given, evidence: regrouped }), LATER)).toEqual(before);
      }),
    );
  });

  it('a record that is told twice says it once', () => {
    fc.assert(
      fc.property(facts, observed, (given, evidence) => {
        const again = evidence.map((row) => ({
          ...row,
          evidenceId: row.evidenceId + 1e6,
          reference: 'again',
        }));
        const once = judge(session({ ...given, evidence }), LATER);
        expect(judge(session({ ...given, evidence: [...evidence, ...again] }), LATER)).toEqual(once);
      }),
    );
  });

  it('people outside of the mentorship change nothing', () => {
    fc.assert(
      fc.property(facts, anything, fc.array(minutes, { maxLength: 3 }), (given, evidence, joins) => {
        const others = joins.map((from) => stay(STRANGER, from, from + 30));
        const without = evidence.filter((row) => row.personId !== STRANGER);
        expect(judge(session({ ...given, evidence: [...without, ...others] }), LATER)).toEqual(
          judge(session({ ...given, evidence: without }), LATER),
        );
      }),
    );
  });

  it('only distances in time count: midnight, a changed clock and the year make no difference', () => {
    const shift = fc.integer({ min: -40 * 365, max: 40 * 365 }).map((days) => days * 86_400_000 + 5_400_000);
    fc.assert(
      fc.property(facts, anything, shift, (given, evidence, by) => {
        const at = (instant: number) => instant + by;
        const maybe = (instant: number | null) => (instant === null ? null : at(instant));
        const input = session({ ...given, evidence });
        const verdict = judge(input, LATER);
        const moved = judge(
          {
            ...input,
            start: at(input.start),
            end: at(input.end),
            firstSeenAt: at(input.firstSeenAt),
            evidence: evidence.map((row) => ({
              ...row,
              from: maybe(row.from),
              until: maybe(row.until),
              seenAt: at(row.seenAt),
            })),
          },
          at(LATER),
        );
        expect(moved).toEqual({
          ...verdict,
          nextAt: maybe(verdict.nextAt),
          participants: verdict.participants.map((person) => ({
            ...person,
            joinedAt: maybe(person.joinedAt),
            leftAt: maybe(person.leftAt),
          })),
        });
      }),
    );
  });

  it('no word undoes what a record shows', () => {
    fc.assert(
      fc.property(facts, observed, fc.array(words, { maxLength: 4 }), (given, evidence, said) => {
        const before = judge(session({ ...given, evidence }), LATER);
        const after = judge(session({ ...given, evidence: [...evidence, ...said] }), LATER);
        if (before.situation === 'both_in_record') expect(after.outcome).toBe('held');
      }),
    );
  });

  it('of a pair of whom one says "I was not there", nothing but a record or an administrator makes it held', () => {
    fc.assert(
      fc.property(factsOfPair, fc.array(fc.oneof(strangers, records, words)), (given, rest) => {
        const word = said({ source: 'answer', kind: 'absent', personId: MENTEE });
        const others = rest.filter((row) => row.personId !== MENTEE);
        const verdict = judge(session({ ...given, evidence: [...others, word] }), LATER);
        expect(verdict.outcome).not.toBe('held');
        const contradicted = others.some((row) => row.kind === 'met');
        const missed = ['one_sided', 'no_one', 'cancelled'];
        if (!contradicted) expect(missed).toContain(verdict.outcome);
        else if (given.cancelled === null) expect([...missed, 'unknown']).toContain(verdict.outcome);
      }),
    );
  });

  it('outcome and attendance tell the same story', () => {
    fc.assert(
      fc.property(facts, anything, (given, evidence) => {
        const verdict = judge(session({ ...given, evidence }), LATER);
        const roleOf = new Map(given.participants.map(({ personId, role }) => [personId, role]));
        const came = verdict.participants.filter(({ status }) => status === 'attended');
        if (verdict.outcome === 'no_one') expect(came).toEqual([]);
        if (verdict.outcome === 'one_sided') {
          const roles = new Set(came.map(({ personId }) => roleOf.get(personId)));
          if (verdict.reason === 'peer_absent') expect(came.length).toBeLessThan(2);
          else expect([...roles].map((role) => `${role}_absent`)).not.toContain(verdict.reason);
        }
        if (verdict.outcome === 'cancelled') {
          expect(verdict.participants.map(({ status }) => status)).not.toContain('unknown');
        }
      }),
    );
  });

  it('a record says nothing about who was reached by a group and is not in it', () => {
    const reached = factsOfPair.map((given) => ({
      ...given,
      participants: given.participants.map((person) =>
        person.personId === MENTEE ? { ...person, rsvp: 'none' as const, byGroup: true as const } : person,
      ),
    }));
    fc.assert(
      fc.property(reached, observed, (given, evidence) => {
        const verdict = judge(session({ ...given, evidence }), LATER);
        expect(statuses(verdict)[MENTEE]).not.toBe('absent');
        expect(verdict.reason).not.toBe('mentee_absent');
        expect(verdict.outcome).not.toBe('no_one');
      }),
    );
  });

  it('nobody attended of whom nothing says so', () => {
    fc.assert(
      fc.property(facts, anything, (given, evidence) => {
        const verdict = judge(session({ ...given, evidence }), LATER);
        const silentAll = !evidence.some(({ kind }) => kind === 'met');
        for (const { personId, status } of verdict.participants) {
          const named = evidence.some((row) => row.personId === personId && row.kind === 'presence');
          if (status === 'attended' && silentAll) expect(named).toBe(true);
        }
      }),
    );
  });
});
