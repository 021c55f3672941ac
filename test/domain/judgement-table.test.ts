import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/domain/evidence.ts';
import { judge } from '../../src/domain/judgement.ts';
import type { Situation } from '../../src/domain/judgement-table.ts';
import type { AcceptableTier } from '../../src/domain/program.ts';
import type { AttendanceStatus, JudgementInput } from '../../src/domain/verdict.ts';
import {
  answer,
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

/** Evidence, what it gives, and the attendance of mentor and mentee. */
type Example = {
  readonly evidence?: () => Evidence[];
  readonly facts?: Partial<JudgementInput>;
  readonly accept?: AcceptableTier[];
  readonly gives: string;
  readonly attendance: readonly [AttendanceStatus, AttendanceStatus];
};

const [MENTOR_ROW, MENTEE_ROW] = session().participants as [
  JudgementInput['participants'][number],
  JudgementInput['participants'][number],
];
const silent: Partial<JudgementInput> = { conference: null, sources: [] };
const asked = (state: 'final' | 'cannot_tell', lastAnswer: string): Partial<JudgementInput> => ({
  sources: [{ state, lastAnswer, due: false }],
});
const menteeDeclined: Partial<JudgementInput> = {
  participants: [MENTOR_ROW, { ...MENTEE_ROW, rsvp: 'declined' }],
};
const menteeByGroup: Partial<JudgementInput> = {
  participants: [MENTOR_ROW, { ...MENTEE_ROW, rsvp: 'none', byGroup: true }],
};
const notThere = (personId: number) => said({ source: 'answer', kind: 'absent', personId });

/** One example at least for every row: the compiler refuses a row without one. */
const EXAMPLES: { readonly [S in Situation]: Readonly<Record<string, Example>> } = {
  corrected_to_met: {
    'of nothing': {
      evidence: () => [correction('met')],
      facts: silent,
      gives: 'held/corrected',
      attendance: ['attended', 'attended'],
    },
  },
  both_in_record: {
    'long enough': {
      evidence: () => [record(), stay(MENTOR, 0, 40), stay(MENTEE, 5, 40)],
      gives: 'held/both_present',
      attendance: ['attended', 'attended'],
    },
    'in spite of words': {
      evidence: () => [record(), stay(MENTOR, 0, 40), stay(MENTEE, 5, 40), answer(MENTEE, 'not_met')],
      gives: 'held/both_present',
      attendance: ['attended', 'attended'],
    },
    'of a session called off': {
      evidence: () => [record(), stay(MENTOR, 0, 40), stay(MENTEE, 5, 40)],
      facts: { cancelled: 'cancelled' },
      gives: 'held/although_cancelled',
      attendance: ['attended', 'attended'],
    },
  },
  corrected_to_came: {
    'the guest was the mentee': {
      evidence: () => [record(), stay(MENTOR, 0, 40), guest(), correction('presence', MENTEE)],
      gives: 'held/corrected',
      attendance: ['attended', 'attended'],
    },
  },
  both_say_met: {
    'in person': {
      evidence: () => [answer(MENTOR, 'met'), answer(MENTEE, 'met')],
      facts: silent,
      gives: 'held/confirmed',
      attendance: ['attended', 'attended'],
    },
  },
  one_says_met: {
    'where one word is accepted': {
      evidence: () => [answer(MENTEE, 'met')],
      facts: silent,
      gives: 'held/one_confirmed',
      attendance: ['attended', 'attended'],
    },
    'another system says so': {
      evidence: () => [said({ source: 'external', kind: 'met' })],
      facts: silent,
      gives: 'held/one_confirmed',
      attendance: ['attended', 'attended'],
    },
    'and the other is in the record': {
      evidence: () => [record(), stay(MENTOR, 0, 40), guest(), answer(MENTEE, 'met')],
      accept: ['human_both'],
      gives: 'held/one_confirmed',
      attendance: ['attended', 'attended'],
    },
  },
  guest_with_one: {
    'where one side is accepted': {
      evidence: () => [record(), stay(MENTOR, 0, 40), guest(0, 40)],
      accept: ['conference_one'],
      gives: 'held/one_confirmed',
      attendance: ['attended', 'unknown'],
    },
  },
  called_off_in_calendar: {
    'whatever anybody did then': {
      evidence: () => [record(), stay(MENTOR, 0, 10)],
      facts: { cancelled: 'deleted' },
      gives: 'cancelled/deleted',
      attendance: ['attended', 'excused'],
    },
  },
  words_contradict: {
    'met against not met': {
      evidence: () => [answer(MENTOR, 'met'), answer(MENTEE, 'not_met')],
      facts: silent,
      gives: 'unknown/disputed',
      attendance: ['unknown', 'unknown'],
    },
    'met against "I was not there"': {
      evidence: () => [answer(MENTOR, 'met'), notThere(MENTEE)],
      facts: silent,
      gives: 'unknown/disputed',
      attendance: ['unknown', 'unknown'],
    },
    'met by another system against not met': {
      evidence: () => [said({ source: 'external', kind: 'met' }), answer(MENTEE, 'not_met')],
      facts: silent,
      gives: 'unknown/disputed',
      attendance: ['unknown', 'unknown'],
    },
    'met against a final record': {
      evidence: () => [record(), stay(MENTEE, 0, 20), answer(MENTOR, 'met')],
      gives: 'unknown/disputed',
      attendance: ['unknown', 'attended'],
    },
    '"I was not there" against a record': {
      evidence: () => [record(), stay(MENTEE, 0, 20), notThere(MENTEE)],
      gives: 'unknown/disputed',
      attendance: ['unknown', 'attended'],
    },
  },
  side_declined: {
    'and nobody came': {
      facts: { ...silent, ...menteeDeclined },
      gives: 'cancelled/declined_by_mentee',
      attendance: ['excused', 'excused'],
    },
    'in a meeting of two of a larger mentorship': {
      facts: { ...silent, ...menteeDeclined, uninvited: [{ personId: 7, role: 'mentee' }] },
      gives: 'cancelled/declined_by_mentee',
      attendance: ['excused', 'excused'],
    },
  },
  corrected_to_not_met: {
    'in one call one after the other': {
      evidence: () => [record(), stay(MENTOR, 0, 40), stay(MENTEE, 0, 40), correction('not_met')],
      gives: 'too_short/corrected',
      attendance: ['attended', 'attended'],
    },
  },
  both_but_briefly: {
    'a hello': {
      evidence: () => [record(), stay(MENTOR, 0, 60), stay(MENTEE, 0, 3)],
      gives: 'too_short/overlap_too_short',
      attendance: ['attended', 'attended'],
    },
    'in and out at once': {
      evidence: () => [record(), stay(MENTOR, 0, 60), stay(MENTEE, 3, 3)],
      gives: 'too_short/overlap_too_short',
      attendance: ['attended', 'attended'],
    },
  },
  both_sides_missing: {
    'both say that they did not meet': {
      evidence: () => [answer(MENTOR, 'not_met'), answer(MENTEE, 'not_met')],
      facts: silent,
      gives: 'no_one/both_absent',
      attendance: ['absent', 'absent'],
    },
    'both say "I was not there"': {
      evidence: () => [notThere(MENTOR), notThere(MENTEE)],
      facts: silent,
      gives: 'no_one/both_absent',
      attendance: ['absent', 'absent'],
    },
    'an administrator says so': {
      evidence: () => [correction('not_met')],
      facts: silent,
      gives: 'no_one/corrected',
      attendance: ['absent', 'absent'],
    },
  },
  one_side_missing: {
    'a record of the other alone': {
      evidence: () => [record(), stay(MENTOR, 0, 20)],
      gives: 'one_sided/mentee_absent',
      attendance: ['attended', 'absent'],
    },
    '"I was not there", and nothing is known of the other': {
      evidence: () => [notThere(MENTOR)],
      facts: silent,
      gives: 'one_sided/mentor_absent',
      attendance: ['absent', 'unknown'],
    },
    '"I was not there", and the other waited': {
      evidence: () => [record(), stay(MENTEE, 0, 20), notThere(MENTOR)],
      gives: 'one_sided/mentor_absent',
      attendance: ['absent', 'attended'],
    },
    '"I was not there" of the only mentee invited': {
      evidence: () => [notThere(MENTEE)],
      facts: { ...silent, uninvited: [{ personId: 7, role: 'mentee' }] },
      gives: 'one_sided/mentee_absent',
      attendance: ['unknown', 'absent'],
    },
    'an administrator knows of one': {
      evidence: () => [correction('absent', MENTEE)],
      facts: silent,
      gives: 'one_sided/mentee_absent',
      attendance: ['unknown', 'absent'],
    },
  },
  group_instead_of_side: {
    'invited by a group’s address': {
      evidence: () => [record(), stay(MENTOR, 0, 20)],
      facts: menteeByGroup,
      gives: 'unknown/group_address',
      attendance: ['attended', 'unknown'],
    },
    'come by a group’s account': {
      evidence: () => [record(), stay(MENTOR, 0, 20), { ...guest(), ofGroup: true }],
      gives: 'unknown/group_address',
      attendance: ['attended', 'unknown'],
    },
  },
  guests_in_record: {
    'beside the mentor': {
      evidence: () => [record(), stay(MENTOR, 0, 20), guest()],
      gives: 'unknown/guest_only',
      attendance: ['attended', 'unknown'],
    },
    'among whom one came by a group’s account': {
      evidence: () => [record(), stay(MENTOR, 0, 20), guest(), { ...guest(), ofGroup: true }],
      gives: 'unknown/guest_only',
      attendance: ['attended', 'unknown'],
    },
    'a telephone alone': {
      evidence: () => [record(), said({ kind: 'device' })],
      gives: 'unknown/guest_only',
      attendance: ['unknown', 'unknown'],
    },
  },
  record_of_too_little: {
    'before it is final': {
      evidence: () => [record(), stay(MENTOR, 0, 20)],
      facts: { sources: [{ state: 'waiting', lastAnswer: 'records', due: false }] },
      gives: 'unknown/no_record',
      attendance: ['attended', 'unknown'],
    },
    'names without times': {
      evidence: () => [record(), said({ kind: 'presence', personId: MENTOR }), stay(MENTEE, 0, 3)],
      gives: 'unknown/no_record',
      attendance: ['attended', 'attended'],
    },
  },
  calendars_unread: {
    'since before it began': {
      facts: { ...silent, sightLost: true },
      gives: 'unknown/sync_gap',
      attendance: ['unknown', 'unknown'],
    },
  },
  record_expired: {
    'after thirty days': {
      facts: asked('cannot_tell', 'expired'),
      gives: 'unknown/expired',
      attendance: ['unknown', 'unknown'],
    },
  },
  record_not_shown: {
    'of a stranger': {
      facts: asked('cannot_tell', 'external_organizer'),
      gives: 'unknown/no_permission',
      attendance: ['unknown', 'unknown'],
    },
  },
  conference_without_record: {
    'an empty answer': {
      facts: asked('final', 'nothing'),
      gives: 'unknown/no_record',
      attendance: ['unknown', 'unknown'],
    },
  },
  private_without_conference: {
    'a private entry': {
      facts: { ...silent, isPrivate: true },
      gives: 'unknown/private_event',
      attendance: ['unknown', 'unknown'],
    },
  },
  nothing_known: {
    'a room': { facts: silent, gives: 'unknown/in_person', attendance: ['unknown', 'unknown'] },
  },
};

describe.each(Object.entries(EXAMPLES))('%s', (situation, examples) => {
  it.each(Object.entries(examples))('%s', (_, { evidence, facts, accept, gives, attendance }) => {
    const verdict = judge(session({ ...facts, evidence: evidence?.() ?? [] }, accept), LATER);
    expect(`${verdict.outcome}/${verdict.reason}`).toBe(gives);
    expect(verdict.situation).toBe(situation);
    expect(statuses(verdict)).toEqual({ [MENTOR]: attendance[0], [MENTEE]: attendance[1] });
  });
});

describe('several on one side', () => {
  const group: Partial<JudgementInput> = {
    ...silent,
    participants: [
      MENTOR_ROW,
      MENTEE_ROW,
      { personId: 3, role: 'mentee', rsvp: 'accepted' },
      { personId: 4, role: 'mentor', rsvp: 'none' },
    ],
  };

  it('one who was not there leaves open whether the others met', () => {
    const verdict = judge(session({ ...group, evidence: [notThere(MENTEE)] }), LATER);
    expect(verdict).toMatchObject({ outcome: 'unknown', reason: 'in_person' });
    expect(statuses(verdict)).toEqual({ 1: 'unknown', 2: 'absent', 3: 'unknown', 4: 'unknown' });
  });

  it('a mentor who takes the place of another is the side', () => {
    const evidence = [record(), stay(4, 0, 40), stay(3, 0, 40), notThere(MENTOR)];
    const verdict = judge(session({ ...group, ...asked('final', 'records'), evidence }), LATER);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'both_present' });
    expect(statuses(verdict)).toEqual({ 1: 'absent', 2: 'absent', 3: 'attended', 4: 'attended' });
  });

  it('a correction that they met names only those who must have been there', () => {
    const verdict = judge(session({ ...group, evidence: [correction('met')] }), LATER);
    expect(verdict).toMatchObject({ outcome: 'held', reason: 'corrected' });
    expect(Object.values(statuses(verdict))).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });

  it.each([
    [2, 'one_sided', 'peer_absent'],
    [3, 'unknown', 'in_person'],
  ])('of %i peers one was not there', (count, outcome, reason) => {
    const participants = Array.from({ length: count }, (_, index) => ({
      personId: 11 + index,
      role: 'peer' as const,
      rsvp: 'none' as const,
    }));
    const verdict = judge(session({ ...silent, participants, evidence: [notThere(11)] }), LATER);
    expect(verdict).toMatchObject({ outcome, reason });
    expect(statuses(verdict)).toMatchObject({ 11: 'absent', 12: 'unknown' });
  });
});
