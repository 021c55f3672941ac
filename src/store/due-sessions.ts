import { sql, type Transaction } from 'kysely';
import type { Instant } from '../domain/observation.ts';
import type { AttendancePolicy, ProgramPolicy } from '../domain/program.ts';
import type { JudgementInput, Outcome, SourceState } from '../domain/verdict.ts';
import type { DueSession } from '../ports/verdict-store.ts';
import type { DB } from './database.generated.ts';

type DueRow = Omit<DueSession, 'facts' | 'evidence' | 'before'> & {
  readonly outcome: Outcome | null;
  readonly outcomeReason: string | null;
  readonly settledAt: Instant | null;
  readonly start: Instant;
  readonly end: Instant;
  readonly firstSeenAt: Instant;
  readonly cancelled: JudgementInput['cancelled'];
  readonly conference: JudgementInput['conference'];
  readonly isPrivate: boolean;
  readonly sightLost: boolean;
  readonly catchingUp: boolean;
  readonly uninvited: JudgementInput['uninvited'];
  readonly evidence: DueSession['evidence'];
  readonly sources: readonly SourceState[];
  readonly attendance: AttendancePolicy | null;
};

/** Used for a program whose policy was never stored, which only a database filled by hand has. */
const DEFAULT_ATTENDANCE: ProgramPolicy['attendance'] = {
  minimum: { minutes: 5, share: 0.2 },
  accept: ['conference_both', 'human_both', 'human_one'],
};

/**
 * Sessions whose judgement is due, locked until the transaction ends; those another worker holds are left to it.
 * The policy is the one in force at the session's start, so that a new rule judges nothing old.
 * @param share how many at most, of which of so many disjoint sets of mentorships
 */
export async function lockDueSessions(
  trx: Transaction<DB>,
  now: Date,
  share: { readonly limit: number; readonly lane: number; readonly of: number },
): Promise<DueSession[]> {
  // One statement to lock and another to read: rows that come from joins under `skip locked` would be read
  // as they were before the lock was waited for.
  const { rows: locked } = await sql<{ id: number }>`
    select session_id as id from cadenced.session
     where next_judgement_at <= ${now} and mentorship_id % ${share.of} = ${share.lane}
     order by next_judgement_at, session_id
     limit ${share.limit} for update skip locked`.execute(trx);
  if (locked.length === 0) return [];
  // Made as json and not as jsonb: nobody here looks into it, and it need not be sorted and packed for that.
  const { rows } = await sql<DueRow>`
    select session.session_id as "sessionId", session.occurrence_id as "occurrenceId",
           session.mentorship_id as "mentorshipId", program.name as program, mentorship.key as mentorship,
           occurrence.title, occurrence.private as "isPrivate", occurrence.conference_kind as conference,
           ${millis('program.live_from')} as "liveFrom", program.time_zone as zone,
           nullif(rules.policy -> 'quietHours', 'null') as quiet,
           rules.policy -> 'attendance' as attendance,
           session.outcome, session.outcome_reason as "outcomeReason",
           ${millis('session.settled_at')} as "settledAt",
           ${millis('session.starts_at')} as start, ${millis('session.ends_at')} as "end",
           ${millis('session.first_seen_at')} as "firstSeenAt",
           case when session.status = 'cancelled' then session.cancel_reason end as cancelled,
           coalesce(sight.copies > 0 and not sight.fresh, false) as "sightLost",
           coalesce(sight.copies > 0 and not sight.fresh and sight.readable, false) as "catchingUp",
           coalesce(invited.people, '[]') as people, coalesce(others.people, '[]') as uninvited,
           coalesce(known.rows, '[]') as evidence, coalesce(asked.sources, '[]') as sources
      from cadenced.session
      join cadenced.occurrence on occurrence.occurrence_id = session.occurrence_id
      join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
      join cadenced.program on program.program_id = mentorship.program_id
      left join lateral (
        select policy from cadenced.program_policy
         where program_policy.program_id = program.program_id
         order by valid_from <= session.starts_at desc,
                  case when valid_from <= session.starts_at then valid_from end desc, valid_from
         limit 1
      ) as rules on true
     cross join lateral (
        select count(*) as copies, bool_or(calendar.last_complete_pass_at >= session.starts_at) as fresh,
               bool_or(calendar.state = 'active' and calendar.retired_at is null) as readable
          from cadenced.event_copy
          join cadenced.calendar on calendar.calendar_id = event_copy.calendar_id
         where event_copy.occurrence_id = session.occurrence_id
     ) as sight
     cross join lateral (
        select json_agg(json_build_object(
                 'personId', person.person_id, 'role', participant.role, 'rsvp', participant.rsvp,
                 'byGroup', participant.by_group,
                 'address', person.address, 'zone', person.time_zone, 'status', participant.status,
                 'minutes', participant.minutes, 'tier', participant.evidence_tier)
                 order by person.person_id) as people
          from cadenced.participant
          join cadenced.person on person.person_id = participant.person_id
         where participant.session_id = session.session_id
     ) as invited
     cross join lateral (
        select json_agg(json_build_object('personId', membership.person_id, 'role', membership.role)
                 order by membership.person_id) as people
          from cadenced.membership
         where membership.mentorship_id = session.mentorship_id
           and not exists (select from cadenced.participant
                            where participant.session_id = session.session_id
                              and participant.person_id = membership.person_id)
     ) as others
     cross join lateral (
        -- A guest whose account has become known since is who the account belongs to.
        select json_agg(json_build_object(
                 'evidenceId', evidence.evidence_id, 'source', evidence.source,
                 'kind', case when evidence.kind = 'guest' and account.person_id is not null
                              then 'presence' else evidence.kind end,
                 'personId', coalesce(evidence.person_id, account.person_id),
                 'from', ${millis('evidence.from_at')}, 'until', ${millis('evidence.until_at')},
                 'reference', evidence.reference, 'seenAt', ${millis('evidence.seen_at')},
                 'by', (evidence.detail ->> 'by_person')::bigint,
                 'byName', evidence.detail ->> 'by',
                 'withdraws', evidence.detail ->> 'withdraws',
                 'complete', coalesce((evidence.detail ->> 'complete')::boolean, false),
                 'partial', coalesce((evidence.detail ->> 'partial')::boolean, false),
                 'ofGroup', coalesce((evidence.detail ->> 'group')::boolean, false))
                 order by evidence.evidence_id) as rows
          from cadenced.evidence
          left join cadenced.person_account account
            on evidence.kind = 'guest'
           and account.account_id = evidence.detail ->> 'account'
           and account.provider = case evidence.source when 'teams' then 'microsoft' else 'google' end
         where evidence.occurrence_id = session.occurrence_id
           and (evidence.session_id is null or evidence.session_id = session.session_id)
     ) as known
     cross join lateral (
        select json_agg(json_build_object('state', harvest.state, 'lastAnswer', harvest.last_answer,
                                            'due', coalesce(harvest.due_at <= ${now}, false))
                 order by harvest.source) as sources
          from cadenced.harvest where harvest.occurrence_id = session.occurrence_id
     ) as asked
     where session.session_id = any (${locked.map((row) => row.id)}::bigint[])
     order by session.session_id`.execute(trx);
  return rows.map(dueSession);
}

function dueSession(row: DueRow): DueSession {
  const { outcome, outcomeReason, settledAt, sources, attendance, ...rest } = row;
  return {
    ...rest,
    before: { outcome, reason: outcomeReason, settledAt },
    facts: { ...rest, sources, policy: attendance ?? DEFAULT_ATTENDANCE },
  };
}

function millis(column: string) {
  return sql`(extract(epoch from ${sql.ref(column)}) * 1000)::bigint`;
}
