import type { Evidence } from '../../src/domain/evidence.ts';
import { judge } from '../../src/domain/judgement.ts';
import type { AcceptableTier } from '../../src/domain/program.ts';
import type { JudgementInput, Verdict } from '../../src/domain/verdict.ts';

/** A session of an hour between one mentor and one mentee, and what may be known about it. */

export const START = Date.UTC(2026, 2, 3, 10);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const END = START + HOUR;
export const LATER = END + 49 * HOUR;
export const MENTOR = 1;
export const MENTEE = 2;

let counter = 0;

export function said(facts: Partial<Evidence> & Pick<Evidence, 'kind'>): Evidence {
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

export const record = () => said({ kind: 'record', from: START, until: END });
export const stay = (personId: number, from: number, until: number) =>
  said({ kind: 'presence', personId, from: START + from * MINUTE, until: START + until * MINUTE });
export const guest = (from = 0, until = 60) =>
  said({ kind: 'guest', from: START + from * MINUTE, until: START + until * MINUTE });
export const answer = (personId: number, kind: 'met' | 'not_met') =>
  said({ source: 'answer', kind, personId });
export const correction = (kind: Evidence['kind'], personId: number | null = null) =>
  said({ source: 'correction', kind, personId });

export function session(facts: Partial<JudgementInput> = {}, accept?: AcceptableTier[]): JudgementInput {
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

export function verdictOf(
  evidence: Evidence[],
  facts: Partial<JudgementInput> = {},
  accept?: AcceptableTier[],
) {
  return judge(session({ ...facts, evidence }, accept), LATER);
}

export const statuses = (verdict: Verdict) =>
  Object.fromEntries(verdict.participants.map((person) => [person.personId, person.status]));
