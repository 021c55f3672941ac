import { sql, type Transaction } from 'kysely';
import { DateTime } from 'luxon';
import { type OutboundDraft, outboundDraft } from '../domain/drafts.ts';
import type { Instant } from '../domain/observation.ts';
import type { Occurrence, Session } from '../domain/occurrence.ts';
import { instant, noticeMinutes, type PersonPayload, sessionPayload } from '../domain/outbound.ts';
import type { DB } from './database.generated.ts';
import type { WrittenChange } from './write-plan.ts';

/** What the outbound events of a session say besides its times. */
interface Named {
  readonly program: string;
  readonly mentorship: string;
  readonly people: readonly PersonPayload[];
  readonly planId: string | null;
  readonly reference: string | null;
}

const utc = (value: Instant): DateTime => DateTime.fromMillis(value, { zone: 'utc' });

async function nameSessions(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
): Promise<Map<number, Named>> {
  const { rows } = await sql<{
    session_id: number;
    program: string;
    mentorship: string;
    people: PersonPayload[] | null;
    plan_id: number | null;
    reference: string | null;
  }>`
    select session.session_id, program.name as program, mentorship.key as mentorship,
           (select jsonb_agg(jsonb_build_object('participant_id', participant.person_id::text,
                     'role', participant.role, 'address', person.address) order by participant.person_id)
              from cadenced.participant
              join cadenced.person on person.person_id = participant.person_id
             where participant.session_id = session.session_id) as people,
           planned_session.plan_id, planned_session.reference
      from cadenced.session
      join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
      join cadenced.program on program.program_id = mentorship.program_id
      left join cadenced.planned_session on planned_session.session_id = session.session_id
     where session.session_id = any (${sessionIds}::bigint[])`.execute(trx);
  return new Map(
    rows.map((row) => [
      row.session_id,
      {
        program: row.program,
        mentorship: row.mentorship,
        people: row.people ?? [],
        planId: row.plan_id === null ? null : String(row.plan_id),
        reference: row.reference,
      },
    ]),
  );
}

type Told =
  | { readonly type: 'session.scheduled' }
  | { readonly type: 'session.rescheduled'; readonly from: Session }
  | { readonly type: 'session.cancelled' };

/** What a change of one session tells the world; `null` = nothing. */
function tell(before: Session | undefined, after: Session, now: Instant): Told | null {
  // A session that was over before we first saw it was never news; its verdict will be.
  if (!before) return after.cancelled || after.end <= now ? null : { type: 'session.scheduled' };
  if (!before.cancelled && after.cancelled) return { type: 'session.cancelled' };
  if (before.cancelled && !after.cancelled) return { type: 'session.scheduled' };
  const moved = before.start !== after.start || before.end !== after.end;
  return moved && !after.cancelled ? { type: 'session.rescheduled', from: before } : null;
}

/** Drafts the outbound events that the changes of a pass imply. */
export async function draftSessionEvents(
  trx: Transaction<DB>,
  changes: readonly WrittenChange[],
  now: Instant,
  /** Names the pass: no other has the same. */
  pass: string,
): Promise<OutboundDraft[]> {
  const told = changes.flatMap(({ before, after }) =>
    after.sessions.flatMap((session) => {
      const was = before?.sessions.find((earlier) => earlier.sessionId === session.sessionId);
      const news = tell(was, session, now);
      return news ? [{ news, session, occurrence: after }] : [];
    }),
  );
  if (told.length === 0) return [];
  const names = await nameSessions(
    trx,
    told.map(({ session }) => session.sessionId as number),
  );
  return told.flatMap(({ news, session, occurrence }) => {
    const named = names.get(session.sessionId as number);
    return named ? [draft(news, session, occurrence, named, now, pass)] : [];
  });
}

function draft(
  news: Told,
  session: Session,
  occurrence: Occurrence,
  named: Named,
  now: Instant,
  pass: string,
): OutboundDraft {
  const payload = sessionPayload({
    sessionId: String(session.sessionId),
    occurrenceId: String(occurrence.occurrenceId),
    program: named.program,
    mentorship: named.mentorship,
    scheduledStart: utc(session.start),
    scheduledEnd: utc(session.end),
    title: occurrence.title,
    isPrivate: occurrence.private,
    people: named.people,
  });
  // The same change is planned once only: the calendar's generation sees to that. Naming the pass tells a change
  // from an equal one later (moved there and back again), and from another calendar's in the same instant.
  const key = `${news.type}:${session.sessionId}:${pass}`;
  const occurredAt = new Date(now);
  switch (news.type) {
    case 'session.scheduled':
      return outboundDraft(news.type, key, occurredAt, {
        ...payload,
        plan_id: named.planId,
        reference: named.reference,
      });
    case 'session.rescheduled':
      return outboundDraft(news.type, key, occurredAt, {
        ...payload,
        previous_start: instant(utc(news.from.start)),
        previous_end: instant(utc(news.from.end)),
        reschedules: session.reschedules,
      });
    case 'session.cancelled': {
      const at = utc(session.cancelled?.at ?? now);
      return outboundDraft(news.type, key, occurredAt, {
        ...payload,
        cancel_reason: session.cancelled?.reason ?? 'cancelled',
        cancelled_at: instant(at),
        cancelled_by: session.cancelled?.by ?? null,
        notice_minutes: noticeMinutes(at, utc(session.start)),
      });
    }
  }
}
