import fc from 'fast-check';
import type pg from 'pg';
import type { SeededWorld } from './seeded-world.ts';

/*
 * A few months of two programs by chance: meetings of one or several mentorships, moved, called off, missed, paused,
 * on holidays, after the end; mails, answers and feedback about them. Written as rows, without the daemon.
 */

export const HOUR = 3_600_000;
export const BEGIN = Date.parse('2026-01-20T00:00:00Z');
export const NOW = Date.parse('2026-05-01T10:00:00Z');

export type Member = { readonly personId: number; readonly role: 'mentor' | 'mentee' | 'peer' };
export type Pair = {
  readonly id: number;
  readonly program: string;
  readonly zone: string;
  readonly key: string;
  readonly members: readonly Member[];
};

const OUTCOMES = [
  'held',
  'held',
  'held',
  'too_short',
  'one_sided',
  'no_one',
  'unknown',
  'cancelled',
  null,
] as const;
const REASONS = ['mentor_absent', 'mentee_absent', 'peer_absent', null] as const;
const DECLINED = ['declined_by_mentor', 'declined_by_mentee', 'declined_by_peer', null] as const;
const STATUSES = ['attended', 'attended', 'attended', 'absent', 'excused', 'unknown', null] as const;

const people = fc.record({
  status: fc.constantFrom(...STATUSES),
  minutes: fc.option(fc.integer({ min: 0, max: 90 })),
  reminders: fc.array(
    fc.constantFrom('queued', 'sending', 'sent', 'sent', 'sent', 'suppressed', 'refused', 'failed'),
    {
      maxLength: 2,
    },
  ),
  asked: fc.option(fc.constantFrom('queued', 'sent', 'sent', 'suppressed', 'failed')),
  answered: fc.boolean(),
  feedback: fc.option(fc.record({ rating: fc.option(fc.integer({ min: 1, max: 5 })) })),
});

const sessions = fc.record({
  outcome: fc.constantFrom(...OUTCOMES),
  reason: fc.constantFrom(...REASONS),
  declined: fc.constantFrom(...DECLINED),
  cancelled: fc.option(
    fc.record({
      by: fc.constantFrom('mentor' as const, 'mentee' as const, 'peer' as const, 'other' as const, null),
      hoursBefore: fc.integer({ min: -3, max: 60 }),
    }),
    { freq: 4 },
  ),
  settled: fc.integer({ min: 0, max: 6 }).map((dice) => dice > 0),
  overlap: fc.option(fc.integer({ min: 0, max: 80 }), { freq: 3 }),
  delay: fc.option(fc.integer({ min: -10, max: 30 }), { freq: 3 }),
  people: fc.tuple(people, people, people),
});

export const worlds = fc.record({
  meetings: fc.array(
    fc.record({
      hour: fc.integer({ min: 0, max: 24 * 120 }),
      minutes: fc.integer({ min: 15, max: 120 }),
      seenHoursBefore: fc.integer({ min: -5, max: 24 * 40 }),
      moves: fc.constantFrom(0, 0, 0, 1, 2),
      slipHours: fc.option(fc.integer({ min: -100, max: 400 }), { freq: 4 }),
      // Which of the mentorships: 0 and 1 share their mentor, 2 is a group of peers of another program.
      of: fc.constantFrom([0], [0], [0], [1], [0, 1], [2]),
      sessions: fc.tuple(sessions, sessions),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  nudges: fc.array(
    fc.record({
      of: fc.integer({ min: 0, max: 2 }),
      hour: fc.integer({ min: 0, max: 24 * 120 }),
      status: fc.constantFrom('queued', 'sent', 'suppressed'),
    }),
    { maxLength: 4 },
  ),
  pauses: fc.array(
    fc.record({
      // Of a mentorship, or of the mentor of the first two.
      of: fc.constantFrom(0, 1, 2, 'mentor' as const),
      from: fc.integer({ min: 0, max: 110 }),
      days: fc.integer({ min: 1, max: 25 }),
    }),
    { maxLength: 2 },
  ),
  holidays: fc.tuple(
    fc.array(fc.record({ from: fc.integer({ min: 0, max: 110 }), days: fc.integer({ min: 1, max: 8 }) }), {
      maxLength: 3,
    }),
    fc.array(fc.record({ from: fc.integer({ min: 0, max: 110 }), days: fc.integer({ min: 1, max: 8 }) }), {
      maxLength: 3,
    }),
  ),
  /** Hours after the begin at which the second policy of the first program came into force. */
  policyChangedAt: fc.integer({ min: 0, max: 24 * 100 }),
  ends: fc.tuple(fc.option(fc.integer({ min: 30, max: 120 })), fc.option(fc.integer({ min: 30, max: 120 }))),
});
export type MonthWorld = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

const iso = (at: number) => new Date(at).toISOString();
/** The day so many days after the first one. */
export const dayOf = (days: number) => iso(BEGIN + days * 24 * HOUR).slice(0, 10);

export async function seedPairs(world: SeededWorld): Promise<Pair[]> {
  const lin = await world.another('ada-lin');
  const { rows } = await world.pool.query<{ id: number }>(
    `insert into cadenced.program (name, time_zone, live_from) values ('elm', 'Pacific/Auckland', '2020-01-01')
     returning program_id as id`,
  );
  const elm = rows[0]?.id;
  await world.pool.query(
    `insert into cadenced.program_policy (program_id, valid_from, policy) values ($1, '2020-01-01', '{}')`,
    [elm],
  );
  const peers = [];
  for (const name of ['Kim', 'Mo', 'Zoe'])
    peers.push(await world.person(`${name.toLowerCase()}@example.org`, name));
  const { rows: circle } = await world.pool.query<{ id: number }>(
    `insert into cadenced.mentorship (program_id, key, starts_on) values ($1, 'circle', '2026-01-01')
     returning mentorship_id as id`,
    [elm],
  );
  const id = circle[0]?.id ?? 0;
  for (const person of peers) {
    await world.pool.query(
      `insert into cadenced.membership (mentorship_id, person_id, role) values ($1, $2, 'peer')`,
      [id, person],
    );
  }
  const { rows: linRow } = await world.pool.query<{ id: number }>(
    `select person_id as id from cadenced.person where address = 'ada-lin@example.org'`,
  );
  const mentor: Member = { personId: world.ids.mentor, role: 'mentor' };
  const oak = { program: 'oak', zone: 'Europe/Berlin' };
  return [
    {
      ...oak,
      id: world.ids.mentorship,
      key: 'ada-grace',
      members: [mentor, { personId: world.ids.mentee, role: 'mentee' }],
    },
    { ...oak, id: lin, key: 'ada-lin', members: [mentor, { personId: linRow[0]?.id ?? 0, role: 'mentee' }] },
    {
      id,
      key: 'circle',
      program: 'elm',
      zone: 'Pacific/Auckland',
      members: peers.map((personId) => ({ personId, role: 'peer' })),
    },
  ];
}

/** Writes a world into an open transaction. */
export async function writeWorld(
  client: pg.ClientBase,
  given: MonthWorld,
  pairs: readonly Pair[],
): Promise<void> {
  const put = (table: string, rows: readonly object[]) =>
    rows.length === 0
      ? Promise.resolve()
      : client.query(
          `insert into cadenced.${table} (${Object.keys(rows[0] ?? {}).join(', ')}) overriding system value
           select ${Object.keys(rows[0] ?? {}).join(', ')} from jsonb_populate_recordset(null::cadenced.${table}, $1)`,
          [JSON.stringify(rows)],
        );
  const from = BEGIN + given.policyChangedAt * HOUR;
  for (const [at, list] of given.holidays.entries()) {
    const holidays = list.map((one) => ({
      from: dayOf(one.from),
      until: dayOf(one.from + one.days - 1),
      name: null,
    }));
    await client.query(
      at === 0
        ? `update cadenced.program_policy set policy = jsonb_set(policy, '{holidays}', $2), valid_from = '2026-01-25',
                  valid_until = greatest($1::timestamptz, '2026-01-25 00:00:01Z')
            where program_id = (select program_id from cadenced.program where name = 'oak')`
        : `insert into cadenced.program_policy (program_id, valid_from, policy)
           select program_id, greatest($1::timestamptz, '2026-01-25 00:00:01Z'), jsonb_set(policy, '{holidays}', $2)
             from cadenced.program_policy join cadenced.program using (program_id) where name = 'oak'`,
      [iso(from), JSON.stringify(holidays)],
    );
  }
  for (const [at, days] of given.ends.entries()) {
    await client.query('update cadenced.mentorship set ends_on = $2 where mentorship_id = $1', [
      pairs[at]?.id,
      days === null ? null : dayOf(days),
    ]);
  }
  await put(
    'pause',
    given.pauses.map(({ of, from: first, days }, at) => ({
      pause_id: 1000 + at,
      mentorship_id: of === 'mentor' ? null : pairs[of]?.id,
      person_id: of === 'mentor' ? pairs[0]?.members[0]?.personId : null,
      from_on: dayOf(first),
      until_on: dayOf(first + days - 1),
    })),
  );
  const times = (meeting: MonthWorld['meetings'][number]) => {
    const start = BEGIN + meeting.hour * HOUR;
    return {
      starts_at: iso(start),
      ends_at: iso(start + meeting.minutes * 60_000),
      first_seen_at: iso(start - meeting.seenHoursBefore * HOUR),
    };
  };
  await put(
    'occurrence',
    given.meetings.map((meeting, at) => ({
      occurrence_id: 1000 + at,
      lineage: `uid-${at}`,
      ...times(meeting),
    })),
  );
  const all = given.meetings.flatMap((meeting, at) =>
    meeting.of.map((which, place) => ({
      ...{ meeting, at, which, place },
      session: meeting.sessions[place] as MonthWorld['meetings'][number]['sessions'][0],
      id: 1000 + 2 * at + place,
    })),
  );
  await put(
    'session',
    all.map(({ meeting, session, at, which, id }) => {
      const start = BEGIN + meeting.hour * HOUR;
      return {
        session_id: id,
        occurrence_id: 1000 + at,
        mentorship_id: pairs[which]?.id,
        ...times(meeting),
        status: session.cancelled === null ? 'scheduled' : 'cancelled',
        cancelled_at: session.cancelled === null ? null : iso(start - session.cancelled.hoursBefore * HOUR),
        cancelled_by: session.cancelled?.by ?? null,
        cancel_reason: session.cancelled === null ? null : 'cancelled',
        reschedules: meeting.moves,
        first_starts_at: meeting.slipHours === null ? null : iso(start - meeting.slipHours * HOUR),
        outcome: session.outcome,
        outcome_reason: session.outcome === 'cancelled' ? session.declined : session.reason,
        overlap_minutes: session.overlap,
        start_delay_minutes: session.delay,
        settled_at: session.settled && session.outcome !== null ? iso(start + 50 * HOUR) : null,
      };
    }),
  );
  const invited = all.flatMap((one) =>
    (pairs[one.which]?.members ?? []).map((member, place) => ({
      ...one,
      member,
      person: one.session.people[place],
    })),
  );
  await put(
    'participant',
    invited.map(({ id, member, person }) => ({
      session_id: id,
      person_id: member.personId,
      role: member.role,
      rsvp: 'none',
      status: person?.status ?? null,
      minutes: person?.minutes ?? null,
      evidence_tier: 'none',
    })),
  );
  const mail = (status: string, kind: string, key: string, dueAt: number) => ({
    fact_key: `${kind}/${key}`,
    kind,
    to_address: 'x@example.org',
    due_at: iso(dueAt),
    status,
    reason: status === 'suppressed' ? 'declined' : status === 'refused' ? '550' : null,
    sent_at: status === 'sent' ? iso(dueAt) : null,
    attempts: 0,
    created_at: iso(dueAt),
  });
  const mails = [
    ...invited.flatMap(({ id, which, member, person, meeting }) =>
      [
        ...(person?.reminders ?? []).map((status) => ['reminder', status] as const),
        ...(person?.asked ? [['did_you_meet', person.asked] as const] : []),
      ].map(([kind, status], place) => ({
        // A reminder is due before, a question after the meeting, maybe in another month.
        ...mail(
          status,
          kind,
          `${id}/${member.personId}/${place}`,
          BEGIN + (meeting.hour + (kind === 'reminder' ? -30 : 60)) * HOUR,
        ),
        session_id: id,
        mentorship_id: pairs[which]?.id,
        person_id: member.personId,
      })),
    ),
    ...given.nudges.map(({ of, hour, status }, at) => ({
      ...mail(status, 'nudge', `${at}`, BEGIN + hour * HOUR),
      session_id: null,
      mentorship_id: pairs[of]?.id,
      person_id: pairs[of]?.members[0]?.personId,
    })),
  ];
  await put(
    'mail',
    mails.map((row, at) => ({ mail_id: 1000 + at, ...row })),
  );
  await put(
    'evidence',
    invited
      .filter(({ person }) => person?.answered)
      .map(({ id, at, member }, place) => ({
        evidence_id: 1000 + place,
        occurrence_id: 1000 + at,
        session_id: id,
        person_id: member.personId,
        source: 'answer',
        kind: 'met',
        reference: `${id}/${member.personId}`,
        detail: {},
        seen_at: iso(NOW),
      })),
  );
  await put(
    'feedback',
    invited
      .filter(({ person }) => person?.feedback)
      .map(({ id, member, person }, place) => ({
        feedback_id: 1000 + place,
        session_id: id,
        person_id: member.personId,
        rating: person?.feedback?.rating ?? null,
        given_at: iso(NOW),
      })),
  );
}
