import { describe, expect, it } from 'vitest';
import { judge } from '../../src/domain/judgement.ts';
import type { JudgementInput } from '../../src/domain/verdict.ts';
import {
  answer,
  correction,
  END,
  guest,
  HOUR,
  MENTEE,
  MENTOR,
  MINUTE,
  record,
  START,
  said,
  session,
  statuses,
  stay,
  verdictOf,
} from './judgement-builders.ts';

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

  it('prove who was not there though another source refuses us, which can add nothing', () => {
    const verdict = verdictOf([record(), stay(MENTOR, 0, 20)], {
      sources: [
        { state: 'final', lastAnswer: 'records', due: false },
        { state: 'waiting', lastAnswer: 'no_permission', due: false },
      ],
    });
    expect(verdict).toMatchObject({ outcome: 'one_sided' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'absent' });
  });

  it.each([
    ['before', -25, -24],
    ['after', 70, 75],
  ])('of a call that only lay %s the meeting prove nobody absent from it', (_, from, until) => {
    const frame = said({ kind: 'record', from: START + from * MINUTE, until: START + until * MINUTE });
    const verdict = verdictOf([frame, stay(MENTOR, from, until)]);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'no_record' });
    expect(statuses(verdict)).toEqual({ [MENTOR]: 'attended', [MENTEE]: 'unknown' });
    expect(verdictOf([frame, record(), stay(MENTOR, from, until), stay(MENTOR, 0, 20)])).toMatchObject({
      outcome: 'one_sided',
    });
  });

  it('name in the log whom Meet cannot: its guest is one of those', () => {
    const log = (facts = {}) =>
      said({ source: 'reports', kind: 'record', from: START, until: END, ...facts });
    const inLog = said({
      source: 'reports',
      kind: 'presence',
      personId: MENTEE,
      from: START,
      until: START + 20 * MINUTE,
    });
    const rows = [record(), guest(0, 20), inLog];
    expect(verdictOf([...rows, log()])).toMatchObject({ outcome: 'one_sided', reason: 'mentor_absent' });
    // Not where the log need not show everybody, is of another time, has strangers of its own, or may tell more.
    expect(verdictOf([...rows, log({ partial: true })])).toMatchObject({ reason: 'guest_only' });
    expect(verdictOf([...rows, log({ from: END, until: END + HOUR })])).toMatchObject({
      reason: 'guest_only',
    });
    expect(verdictOf([...rows, log(), { ...guest(0, 20), source: 'reports' }])).toMatchObject({
      reason: 'guest_only',
    });
    expect(
      verdictOf([...rows, log()], { sources: [{ state: 'waiting', lastAnswer: 'records', due: false }] }),
    ).toMatchObject({ reason: 'guest_only' });
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
