import { DateTime } from 'luxon';
import { type Drafts, type MailDraft, type OutboundDraft, outboundDraft } from '../domain/drafts.ts';
import { judge } from '../domain/judgement.ts';
import { type AttendancePayload, instant, type PersonPayload, sessionPayload } from '../domain/outbound.ts';
import { quietAround } from '../domain/reminders.ts';
import type { Verdict } from '../domain/verdict.ts';
import type {
  Decided,
  DueSession,
  SessionNumbers,
  StageReached,
  VerdictStore,
} from '../ports/verdict-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export type JudgeSessionsDeps = { readonly store: VerdictStore; readonly clock: Clock; readonly log: Log };

/** Planning a batch costs as much as judging some sixty sessions; a longer one would make a sync wait for its locks. */
const BATCH = 1_000;
/**
 * Postgres writes for one while this process judges for the other. Sessions of one mentorship stay in one lane:
 * they number each other, and two transactions that did so would wait for each other in a circle.
 */
const LANES = 2;
/** Asked later than this, people no longer remember. */
const ASK_WITHIN_DAYS = 7;

/**
 * Judges every session that is due, some hundreds a transaction, and tells what settled.
 * @returns how many were judged, how many settled now, how many settled ones were restated
 */
export async function judgeSessions(
  deps: JudgeSessionsDeps,
): Promise<{ judged: number; settled: number; restated: number }> {
  const total = { judged: 0, settled: 0, restated: 0 };
  const lanes = await Promise.allSettled(
    Array.from({ length: LANES }, (_, lane) => judgeLane(deps, lane, total)),
  );
  if (total.judged > 0) deps.log.info(total, 'sessions were judged');
  // Only now: a lane that goes on after its caller has given up could not be stopped.
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
  return total;
}

async function judgeLane(
  deps: JudgeSessionsDeps,
  lane: number,
  total: { judged: number; settled: number; restated: number },
): Promise<void> {
  for (;;) {
    // Read once, so that nothing judged in this round can fall due in it again.
    const now = deps.clock.now();
    const cases = await deps.store.judgeDue(
      now.toJSDate(),
      { limit: BATCH, lane, of: LANES },
      (due) => caseOf(due, now),
      (batch, numbers) => draftsOf(batch, numbers, now),
    );
    total.judged += cases.length;
    total.settled += cases.filter((one) => one.settlesNow).length;
    total.restated += cases.filter((one) => one.restated).length;
    if (cases.length < BATCH) return;
  }
}

type Case = Decided & {
  readonly due: DueSession;
  readonly settlesNow: boolean;
  readonly restated: boolean;
};

function caseOf(due: DueSession, now: DateTime): Case {
  const verdict = judge({ ...due.facts, participants: due.people, evidence: due.evidence }, now.toMillis());
  const wasSettled = due.before.settledAt !== null;
  const outcomeChanged = verdict.outcome !== due.before.outcome || verdict.reason !== due.before.reason;
  const before = new Map(due.people.map((person) => [person.personId, person.status]));
  const attendanceChanged = verdict.participants.some(
    (person) => person.status !== (before.get(person.personId) ?? null),
  );
  const settlesNow = verdict.settled && !wasSettled;
  const restated = wasSettled && (outcomeChanged || attendanceChanged);
  const because = reasonOf(due, verdict, settlesNow);
  return {
    due,
    sessionId: due.sessionId,
    mentorshipId: due.mentorshipId,
    verdict,
    because: outcomeChanged || restated ? because : null,
    wasSettled,
    renumbers: concernsNumbers(due, verdict, settlesNow),
    settlesNow,
    restated,
  };
}

/** What brought the verdict, for the history and for whoever reads the event. */
function reasonOf(due: DueSession, verdict: Verdict, settlesNow: boolean): string {
  if (due.before.settledAt === null) {
    return settlesNow ? 'settled' : due.before.outcome === null ? 'provisional' : 'new evidence';
  }
  if (due.facts.cancelled !== null && verdict.outcome === 'cancelled') return 'cancellation learnt late';
  // Nothing else wakes a settled session but a new row, so the newest one is the cause. Not told by its time:
  // rows may be dated by the database's clock and verdicts by the daemon's.
  const latest = due.evidence.at(-1);
  if (latest === undefined) return 'restated';
  if (latest.source === 'correction') return `correction by ${latest.byName ?? 'an administrator'}`;
  return latest.source === 'answer' ? 'answer' : `late evidence from ${latest.byName ?? latest.source}`;
}

/** Whether a verdict may change the numbers of the held sessions, or settle one that has a number. */
function concernsNumbers(due: DueSession, verdict: Verdict, settlesNow: boolean): boolean {
  return (
    (verdict.outcome === 'held') !== (due.before.outcome === 'held') ||
    (settlesNow && verdict.outcome === 'held')
  );
}

function draftsOf(cases: readonly Case[], numbers: SessionNumbers, now: DateTime): Drafts {
  return { mails: cases.flatMap((one) => questions(one, now)), events: events(cases, numbers, now) };
}

/** The question to everybody invited, when nothing but their word can tell; never about what is long ago. */
function questions({ due, verdict, settlesNow }: Case, now: DateTime): MailDraft[] {
  if (!settlesNow || verdict.outcome !== 'unknown' || verdict.reason === 'disputed') return [];
  const end = DateTime.fromMillis(due.facts.end, { zone: 'utc' });
  const until = end.plus({ days: ASK_WITHIN_DAYS });
  if (due.facts.end < due.liveFrom || until <= now) return [];
  return due.people
    .filter((person) => person.rsvp !== 'declined')
    .map((person) => {
      const quiet = due.quiet === null ? null : quietAround(now, due.quiet, person.zone ?? due.zone);
      return {
        kind: 'did_you_meet',
        factKey: `did_you_meet/${due.sessionId}/${person.personId}`,
        sessionId: due.sessionId,
        mentorshipId: due.mentorshipId,
        alertId: null,
        personId: person.personId,
        toAddress: person.address,
        dueAt: (quiet?.until ?? now).toJSDate(),
        expiresAt: until.toJSDate(),
      };
    });
}

function events(cases: readonly Case[], numbers: SessionNumbers, now: DateTime): OutboundDraft[] {
  const told = cases
    .filter((one) => one.settlesNow || one.restated)
    .map((one) =>
      one.settlesNow ? judged(one, numbers.ordinals.get(one.sessionId), now) : changed(one, now),
    );
  const byMentorship = new Map(cases.map((one) => [one.mentorshipId, one.due]));
  const reached = numbers.stages.flatMap((stage) => {
    const due = byMentorship.get(stage.mentorshipId);
    return due === undefined ? [] : [stageReached(due, stage, now)];
  });
  return [...told, ...reached];
}

function stageReached(due: DueSession, stage: StageReached, now: DateTime): OutboundDraft {
  const key = `mentorship/${stage.mentorshipId}/stage/${stage.stage}`;
  return outboundDraft('stage.reached', key, now.toJSDate(), {
    program: due.program,
    mentorship: due.mentorship,
    people: people(due),
    stage: stage.stage,
    ordinal: stage.ordinal,
    session_id: String(stage.sessionId),
    reached_at: instant(DateTime.fromJSDate(stage.reachedAt, { zone: 'utc' })),
  });
}

function judged(
  one: Case,
  number: { readonly ordinal: number | null; readonly stage: string | null } | undefined,
  now: DateTime,
): OutboundDraft {
  return outboundDraft('session.judged', `session/${one.due.sessionId}/judged`, now.toJSDate(), {
    ...shared(one.due),
    outcome: one.verdict.outcome,
    outcome_reason: one.verdict.reason,
    ordinal: number?.ordinal ?? null,
    stage: number?.stage ?? null,
    settled_at: instant(now),
    attendance: attendance(one),
  });
}

function changed(one: Case, now: DateTime): OutboundDraft {
  return outboundDraft(
    'attendance.changed',
    `session/${one.due.sessionId}/changed/${now.toMillis()}`,
    now.toJSDate(),
    {
      ...shared(one.due),
      outcome: one.verdict.outcome,
      outcome_reason: one.verdict.reason,
      // A settled session has an outcome: a constraint of the table says so.
      previous: { outcome: one.due.before.outcome ?? 'unknown', outcome_reason: one.due.before.reason },
      because: one.because ?? 'restated',
      decided_at: instant(now),
      attendance: attendance(one),
    },
  );
}

function shared(due: DueSession) {
  return sessionPayload({
    sessionId: String(due.sessionId),
    occurrenceId: String(due.occurrenceId),
    program: due.program,
    mentorship: due.mentorship,
    scheduledStart: DateTime.fromMillis(due.facts.start, { zone: 'utc' }),
    scheduledEnd: DateTime.fromMillis(due.facts.end, { zone: 'utc' }),
    title: due.title,
    isPrivate: due.facts.isPrivate,
    people: people(due),
  });
}

function people(due: DueSession): PersonPayload[] {
  return due.people.map(({ personId, role, address }) => ({
    participant_id: String(personId),
    role,
    address,
  }));
}

function attendance({ due, verdict }: Case): AttendancePayload[] {
  const verdicts = new Map(verdict.participants.map((person) => [person.personId, person]));
  const time = (at: number | null | undefined) =>
    at === null || at === undefined ? null : instant(DateTime.fromMillis(at, { zone: 'utc' }));
  return due.people.map(({ personId, role, address, rsvp }) => {
    const person = verdicts.get(personId);
    return {
      participant_id: String(personId),
      role,
      address,
      status: person?.status ?? 'unknown',
      rsvp,
      minutes: person?.minutes ?? null,
      joined_at: time(person?.joinedAt),
      left_at: time(person?.leftAt),
      evidence_tier: person?.tier ?? 'none',
    };
  });
}
