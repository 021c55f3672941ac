import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/domain/evidence.ts';
import { judge } from '../../src/domain/judgement.ts';
import type { AcceptableTier } from '../../src/domain/program.ts';
import type { JudgementInput, Verdict } from '../../src/domain/verdict.ts';

const START = Date.UTC(2026, 2, 3, 10);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const END = START + HOUR;
const LATER = END + 49 * HOUR;
const MENTOR = 1;
const MENTEE = 2;

let counter = 0;

function said(facts: Partial<Evidence> & Pick<Evidence, 'kind'>): Evidence {
  counter += 1;
  return {
    evidenceId: counter,
    source: 'meet',
    personId: null,
    from: null,
    until: null,
    reference: `row-${counter}`,
    seenAt: END + counter,
    by: null,
    withdraws: null,
    complete: false,
    ...facts,
  };
}

const record = () => said({ kind: 'record', from: START, until: END });
const stay = (personId: number, from: number, until: number) =>
  said({ kind: 'presence', personId, from: START + from * MINUTE, until: START + until * MINUTE });
const guest = (from = 0, until = 60) =>
  said({ kind: 'guest', from: START + from * MINUTE, until: START + until * MINUTE });
const answer = (personId: number, kind: 'met' | 'not_met') => said({ source: 'answer', kind, personId });
const correction = (kind: Evidence['kind'], personId: number | null = null) =>
  said({ source: 'correction', kind, personId });

function session(facts: Partial<JudgementInput> = {}, accept?: AcceptableTier[]): JudgementInput {
  return {
    start: START,
    end: END,
    firstSeenAt: START - 24 * HOUR,
    cancelled: null,
    conference: 'meet',
    isPrivate: false,
    sightLost: false,
    catchingUp: false,
    participants: [
      { personId: MENTOR, role: 'mentor', rsvp: 'accepted' },
      { personId: MENTEE, role: 'mentee', rsvp: 'accepted' },
    ],
    uninvited: [],
    evidence: [],
    sources: [{ state: 'final', lastAnswer: 'records', due: false }],
    policy: {
      minimum: { minutes: 5, share: 0.2 },
      accept: accept ?? ['conference_both', 'human_both', 'human_one'],
    },
    ...facts,
  };
}

function verdictOf(evidence: Evidence[], facts: Partial<JudgementInput> = {}, accept?: AcceptableTier[]) {
  return judge(session({ ...facts, evidence }, accept), LATER);
}

const statuses = (verdict: Verdict) =>
  Object.fromEntries(verdict.participants.map((person) => [person.personId, person.status]));

describe('the start', () => {
  it.each([
    ['with the later of the two sides', [stay(MENTOR, -4, 50), stay(MENTEE, 9, 60)], 9],
    ['with the first arrival of each', [stay(MENTOR, 2, 5), stay(MENTOR, 20, 50), stay(MENTEE, 1, 60)], 2],
    ['early, when both are early', [stay(MENTOR, -9, 50), stay(MENTEE, -3, 60)], -3],
    ['nobody knows when, with one side', [stay(MENTOR, 0, 50), guest()], null],
  ])('is %s', (_what, evidence, minutes) => {
    expect(verdictOf([record(), ...evidence]).startDelayMinutes).toBe(minutes);
  });

  it('is with the second of several peers', () => {
    const participants = [7, 8, 9].map((personId) => ({
      personId,
      role: 'peer' as const,
      rsvp: 'none' as const,
    }));
    const verdict = verdictOf([record(), stay(7, 0, 50), stay(8, 6, 60), stay(9, 30, 60)], { participants });
    expect(verdict.startDelayMinutes).toBe(6);
  });

  it('is not told by words', () => {
    expect(verdictOf([answer(MENTOR, 'met'), answer(MENTEE, 'met')]).startDelayMinutes).toBeNull();
  });
});

describe('records', () => {
  it('hold a session when both sides are together for the minimum', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 50), stay(MENTEE, 10, 60)]);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'both_present', overlapMinutes: 40 });
    expect(verdict.tier).toBe('conference_both');
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });

  it('count devices and rejoins of one person once', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 30), stay(MENTOR, 10, 40), stay(MENTEE, 0, 60)]);
    expect(verdict.participants[0]).toMatchObject({
      minutes: 40,
      joinedAt: START,
      leftAt: START + 40 * MINUTE,
    });
    expect(verdict.overlapMinutes).toBe(40);
  });

  it.each([
    ['one after the other', [stay(MENTOR, 0, 5), stay(MENTEE, 30, 60)], 0],
    ['shorter than a fifth of the booked time', [stay(MENTOR, 0, 60), stay(MENTEE, 0, 11)], 11],
  ])('find %s too short', (_, stays, minutes) => {
    const verdict = verdictOf([record(), ...stays]);
    expect(verdict).toMatchObject({ outcome: 'too_short', overlapMinutes: minutes });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });

  it('that name people without times call nothing too short', () => {
    const timeless = (personId: number) => said({ kind: 'presence', personId });
    const verdict = verdictOf([record(), timeless(MENTOR), timeless(MENTEE)]);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'no_record' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });

  it('prove an absence when everybody in them is identified', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 20)]);
    expect(verdict).toMatchObject({ outcome: 'one_sided', reason: 'mentee_absent', tier: 'conference_one' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'absent' });
  });

  it('prove that nobody came when only others did', () => {
    expect(verdictOf([record(), stay(99, 0, 20)])).toMatchObject({
      outcome: 'no_one',
      reason: 'both_absent',
    });
  });

  it('prove nothing about who was not there before they are final', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 20)], {
      sources: [{ state: 'waiting', lastAnswer: 'records', due: false }],
    });
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'no_record' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'unknown' });
  });

  it.each([
    ['guest', guest()],
    ['dial-in', said({ kind: 'device', from: START, until: END })],
    ['guest who left before anybody came', guest(-20, -10)],
  ])('never make a %s the mentee, nor the mentee absent', (_, stranger) => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), stranger]);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'guest_only' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'unknown' });
  });

  it('may hold a session with a guest where the program accepts it, without naming the guest', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), guest()], {}, ['conference_one']);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'one_confirmed' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'unknown' });
  });

  it('do not hold it with a guest who was alone', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 10), guest(30, 60)], {}, ['conference_one']);
    expect(verdict.outcome).toBe('unknown');
  });

  it('hold a session that the calendar had cancelled', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), stay(MENTEE, 0, 60)], {
      cancelled: 'cancelled',
    });
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'although_cancelled' });
  });

  it('count whoever of the mentorship came, invited by name or not', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), stay(7, 0, 60)], {
      uninvited: [{ personId: 7, role: 'mentee' }],
    });
    expect(verdict.outcome).toBe('held');
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'absent' });
  });

  it('hold a session of peers when any two are together', () => {
    const peers = [11, 12, 13].map((personId) => ({
      personId,
      role: 'peer' as const,
      rsvp: 'none' as const,
    }));
    const together = verdictOf([record(), stay(11, 0, 30), stay(13, 10, 30)], { participants: peers });
    expect(together).toMatchObject({ outcome: 'held', overlapMinutes: 20 });
    expect(statuses(together)).toEqual({ 11: 'attended', 12: 'absent', 13: 'attended' });
    const alone = verdictOf([record(), stay(11, 0, 30)], { participants: peers });
    expect(alone).toMatchObject({ outcome: 'one_sided', reason: 'peer_absent' });
  });
});

describe('no record', () => {
  it.each([
    ['an empty answer', { sources: [{ state: 'final', lastAnswer: 'nothing', due: false }] }, 'no_record'],
    [
      'a refusal',
      { sources: [{ state: 'cannot_tell', lastAnswer: 'no_permission', due: false }] },
      'no_permission',
    ],
    [
      'a foreign organizer',
      { sources: [{ state: 'cannot_tell', lastAnswer: 'external_organizer', due: false }] },
      'no_permission',
    ],
    [
      'a record deleted since',
      { sources: [{ state: 'cannot_tell', lastAnswer: 'expired', due: false }] },
      'expired',
    ],
    ['no conference', { conference: null, sources: [] }, 'in_person'],
    ['a private entry', { conference: null, isPrivate: true, sources: [] }, 'private_event'],
    ['a conference without a source', { conference: 'other', sources: [] }, 'no_record'],
    ['calendars nobody could read', { sightLost: true, sources: [] }, 'sync_gap'],
  ] as const)('is unknown after %s', (_, facts, reason) => {
    const verdict = verdictOf([], facts as Partial<JudgementInput>);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason, overlapMinutes: null, tier: 'rsvp_only' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'unknown', [MENTEE]: 'unknown' });
  });
});

describe('declined and cancelled', () => {
  const declining = (personId: number) => ({
    participants: session().participants.map((person) =>
      person.personId === personId ? { ...person, rsvp: 'declined' as const } : person,
    ),
  });

  it.each([
    [MENTOR, 'declined_by_mentor'],
    [MENTEE, 'declined_by_mentee'],
  ])('a side that declined cancels (%s)', (personId, reason) => {
    const verdict = verdictOf([], declining(personId));
    expect(verdict).toMatchObject({ outcome: 'cancelled', reason });
    expect(statuses(verdict)[personId]).toBe('excused');
  });

  it('somebody who waited for a decliner was not stood up', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 10)], declining(MENTEE));
    expect(verdict).toMatchObject({ outcome: 'cancelled', reason: 'declined_by_mentee' });
  });

  it('a decliner who came after all was there', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), stay(MENTEE, 0, 60)], declining(MENTEE));
    expect(verdict.outcome).toBe('held');
  });

  it('a guest beside the mentor may be the mentee who declined', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), guest()], declining(MENTEE));
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'guest_only' });
  });

  it('a cancelled session settles at its end and excuses everybody', () => {
    const verdict = judge(session({ cancelled: 'deleted', sources: [] }), END);
    expect(verdict).toMatchObject({ outcome: 'cancelled', reason: 'deleted', settled: true, nextAt: null });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'excused', [MENTEE]: 'excused' });
  });
});

describe('words', () => {
  const silent = { conference: null, sources: [] };

  it.each([
    ['both say they met', [answer(MENTOR, 'met'), answer(MENTEE, 'met')], 'held', 'confirmed', 'human_both'],
    ['one says so', [answer(MENTOR, 'met')], 'held', 'one_confirmed', 'human_one'],
    [
      'both say they did not',
      [answer(MENTOR, 'not_met'), answer(MENTEE, 'not_met')],
      'no_one',
      'both_absent',
      'human_both',
    ],
    [
      'they contradict each other',
      [answer(MENTOR, 'met'), answer(MENTEE, 'not_met')],
      'unknown',
      'disputed',
      'human_both',
    ],
  ] as const)('%s', (_, evidence, outcome, reason, tier) => {
    expect(verdictOf([...evidence], silent)).toMatchObject({ outcome, reason, tier });
  });

  it('one word is not enough where the program asks for two', () => {
    expect(verdictOf([answer(MENTOR, 'met')], silent, ['human_both'])).toMatchObject({
      outcome: 'unknown',
      reason: 'in_person',
    });
  });

  it('count the last one of a person', () => {
    const verdict = verdictOf([answer(MENTOR, 'not_met'), answer(MENTOR, 'met')], silent);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'one_confirmed' });
  });

  it('"she did not come" is said by somebody who came', () => {
    const verdict = verdictOf(
      [said({ source: 'answer', kind: 'absent', personId: MENTEE, by: MENTOR })],
      silent,
    );
    expect(verdict).toMatchObject({ outcome: 'one_sided', reason: 'mentee_absent' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'absent' });
  });

  it('one word against a final record is disputed', () => {
    const verdict = verdictOf([record(), stay(MENTEE, 0, 20), answer(MENTOR, 'met')]);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'disputed' });
  });

  it('both words outweigh a record in which one waited alone: they met elsewhere', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 5), answer(MENTOR, 'met'), answer(MENTEE, 'met')]);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'confirmed' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });
});

describe('corrections', () => {
  it('outweigh a record, and can be taken back', () => {
    const seen = [record(), stay(MENTOR, 0, 60), stay(MENTEE, 0, 60)];
    const absent = correction('absent', MENTEE);
    const corrected = verdictOf([...seen, absent]);
    expect(corrected).toMatchObject({ outcome: 'one_sided', reason: 'mentee_absent' });
    expect(statuses(corrected)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'absent' });
    const restored = verdictOf([...seen, absent, correction('withdrawn', MENTEE)]);
    expect(restored).toMatchObject({ outcome: 'held', reason: 'both_present' });
  });

  it('make a guest the mentee when an administrator knows', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 60), guest(), correction('presence', MENTEE)]);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'corrected' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });

  it('of the whole session settle it', () => {
    const verdict = judge(
      session({ evidence: [correction('met')], conference: null, sources: [] }),
      END + 3 * HOUR,
    );
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'corrected', settled: true });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'attended' });
  });
});

describe('settling', () => {
  const at = (facts: Partial<JudgementInput>, hours: number) => judge(session(facts), END + hours * HOUR);

  it('waits for a source that has not spoken, at most 48 hours', () => {
    const waiting = { sources: [{ state: 'waiting', lastAnswer: null, due: false }] } as const;
    expect(at(waiting, 3)).toMatchObject({ settled: false, nextAt: END + 48 * HOUR });
    expect(at(waiting, 48)).toMatchObject({ settled: true, nextAt: null });
  });

  it('comes with the last word of the sources', () => {
    expect(at({ sources: [{ state: 'final', lastAnswer: 'nothing', due: false }] }, 3).settled).toBe(true);
  });

  it('waits 48 hours for people where no source can speak', () => {
    expect(
      at({ sources: [{ state: 'cannot_tell', lastAnswer: 'no_permission', due: false }] }, 47).settled,
    ).toBe(false);
    expect(at({ sources: [] }, 48).settled).toBe(true);
  });

  it('never comes before a source that should have been asked was asked, nor before calendars caught up', () => {
    const behind = { sources: [{ state: 'waiting', lastAnswer: null, due: true }] } as const;
    expect(at(behind, 100)).toMatchObject({ settled: false, nextAt: END + 100 * HOUR + 10 * MINUTE });
    expect(at({ sources: [], sightLost: true, catchingUp: true }, 100).settled).toBe(false);
    expect(at({ sources: [], sightLost: true, catchingUp: true }, 31 * 24).settled).toBe(true);
    expect(at({ sources: [], sightLost: true }, 100).settled).toBe(true);
  });

  it('does not wait when both have answered', () => {
    const evidence = [answer(MENTOR, 'met'), answer(MENTEE, 'met')];
    expect(at({ sources: [], conference: null, evidence }, 3).settled).toBe(true);
  });

  it('gives history found late the time to be asked about', () => {
    const found = {
      firstSeenAt: END + 240 * HOUR,
      sources: [{ state: 'waiting', lastAnswer: null, due: false }],
    } as const;
    expect(at(found, 241)).toMatchObject({ settled: false, nextAt: END + 288 * HOUR });
  });
});

const minutes = fc.integer({ min: -30, max: 90 });
const people = fc.constantFrom(MENTOR, MENTEE, 99);
const stays = fc
  .tuple(people, minutes, fc.integer({ min: 0, max: 60 }))
  .map(([personId, from, length]) => stay(personId, from, from + length));
const strangers = fc
  .tuple(minutes, fc.integer({ min: 0, max: 60 }))
  .map(([from, length]) => guest(from, from + length));
const words = fc
  .tuple(fc.constantFrom(MENTOR, MENTEE), fc.constantFrom('met' as const, 'not_met' as const))
  .map(([personId, kind]) => answer(personId, kind));
const corrections = fc
  .tuple(fc.constantFrom(MENTOR, MENTEE), fc.constantFrom('presence', 'absent', 'excused', 'withdrawn'))
  .map(([personId, kind]) => correction(kind as Evidence['kind'], personId));
const records = fc.constant(null).map(record);
const observed = fc.array(fc.oneof(stays, strangers, records), { maxLength: 8 });
const anything = fc.array(fc.oneof(stays, strangers, records, words, corrections), { maxLength: 10 });
const rsvp = fc.constantFrom('accepted' as const, 'declined' as const, 'tentative' as const, 'none' as const);
const facts = fc.record({
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
  participants: fc.tuple(rsvp, rsvp).map(([mentor, mentee]) => [
    { personId: MENTOR, role: 'mentor' as const, rsvp: mentor },
    { personId: MENTEE, role: 'mentee' as const, rsvp: mentee },
  ]),
  policy: fc
    .uniqueArray(
      fc.constantFrom<AcceptableTier>('conference_both', 'human_both', 'conference_one', 'human_one'),
    )
    .map((accept) => ({ minimum: { minutes: 5, share: 0.2 }, accept })),
});

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
      fc.property(facts, observed, (given, evidence) => {
        const strict = { ...given, policy: { ...given.policy, accept: ['conference_both' as const] } };
        const verdict = judge(session({ ...strict, evidence }), LATER);
        const came = Object.values(statuses(verdict)).filter((status) => status === 'attended').length;
        if (verdict.outcome === 'held') expect(came).toBe(2);
      }),
    );
  });
});
