import fc from 'fast-check';
import { DateTime } from 'luxon';
import type pg from 'pg';
import type { Benchmark, Cadence } from '../../src/domain/program.ts';
import { POLICY, ZONE } from './seeded-world.ts';

/*
 * A program by chance: rules that changed, mentorships that came and went, pauses, sessions with every outcome.
 * Days are counted from the first of January 2026; "now" is noon of `today`.
 */

export const FIRST = DateTime.fromISO('2026-01-01', { zone: ZONE });
export const dayOf = (number: number) => FIRST.plus({ days: number });
export const iso = (number: number) => dayOf(number).toISODate() ?? '';
export const numberOf = (day: DateTime) => Math.round(day.diff(FIRST, 'days').days);

export type Stretch = { readonly from: number; readonly days: number };
export type Version = {
  /** The rules hold from noon of this day; the first to name the whole day wins it. */
  readonly from: number;
  readonly cadence: Cadence;
  readonly grace: number;
  readonly first: number;
  readonly holidays: readonly Stretch[];
  readonly benchmarks: readonly Benchmark[];
};
export type Meeting = {
  readonly day: number;
  readonly hour: number;
  readonly what: 'held' | 'unknown' | 'unsettled' | 'one_sided' | 'cancelled';
  readonly mentor: 'attended' | 'unknown';
  readonly mentee: 'attended' | 'unknown';
  readonly minutes: number;
};
export type Pair = {
  readonly starts: number;
  readonly length: number | null;
  /** How many days after its end it was planned to end; null = no end was planned. */
  readonly sooner: number | null;
  readonly mentor: number;
  readonly mentee: number;
  readonly paused: readonly Stretch[];
  readonly met: readonly Meeting[];
};
export type Case = {
  readonly today: number;
  /** The first one is from the day on which the program says it went live, where that is before its first start. */
  readonly versions: readonly Version[];
  readonly firstStart: number;
  readonly liveFrom: number;
  readonly pairs: readonly Pair[];
  readonly pausedPerson: { readonly person: number; readonly stretch: Stretch } | null;
  readonly enrolled: ReadonlyArray<{
    readonly person: number;
    readonly role: 'mentor' | 'mentee';
    readonly from: number;
    readonly length: number | null;
  }>;
  readonly capacity: number | null;
};

/** People 0 and 1 are mentors, those from 3 on mentees, and 2 may be both, in different mentorships. */
export const PEOPLE = 6;

const stretch = fc.record({ from: fc.integer({ min: 0, max: 240 }), days: fc.integer({ min: 1, max: 40 }) });
const version: fc.Arbitrary<Version> = fc.record({
  from: fc.integer({ min: 0, max: 200 }),
  cadence: fc.oneof(
    fc.record({
      form: fc.constant('rolling' as const),
      everyDays: fc.constantFrom(7, 14, 30),
      count: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      form: fc.constant('calendar' as const),
      per: fc.constantFrom('week' as const, 'month' as const, 'quarter' as const),
      count: fc.integer({ min: 1, max: 2 }),
    }),
  ),
  grace: fc.constantFrom(0, 3, 7),
  first: fc.constantFrom(1, 10),
  holidays: fc.array(stretch, { maxLength: 2 }),
  benchmarks: fc.constantFrom(
    [{ name: 'first session', sessions: 1, within: 'P10D' }],
    [
      { name: 'first session', sessions: 1, within: 'P3W' },
      { name: 'three sessions', sessions: 3, within: 'P2M' },
    ],
    [],
  ),
});
const meeting: fc.Arbitrary<Meeting> = fc.record({
  day: fc.integer({ min: 0, max: 260 }),
  hour: fc.integer({ min: 0, max: 23 }),
  what: fc.constantFrom('held', 'held', 'held', 'unknown', 'unsettled', 'one_sided', 'cancelled'),
  mentor: fc.constantFrom('attended', 'attended', 'unknown'),
  mentee: fc.constantFrom('attended', 'attended', 'unknown'),
  minutes: fc.integer({ min: 5, max: 90 }),
});
const pair: fc.Arbitrary<Pair> = fc
  .record({
    starts: fc.integer({ min: 0, max: 220 }),
    length: fc.option(fc.integer({ min: 0, max: 200 })),
    sooner: fc.option(fc.integer({ min: 0, max: 60 })),
    mentor: fc.integer({ min: 0, max: 2 }),
    mentee: fc.integer({ min: 2, max: PEOPLE - 1 }),
    paused: fc.array(stretch, { maxLength: 2 }),
    // Two sessions at one time have no order that anybody could rely on.
    met: fc.uniqueArray(meeting, { maxLength: 16, selector: (one) => one.day * 24 + one.hour }),
  })
  .filter((one) => one.mentor !== one.mentee);
export const cases: fc.Arbitrary<Case> = fc
  .record({
    today: fc.integer({ min: 60, max: 250 }),
    versions: fc
      .uniqueArray(version, { minLength: 1, maxLength: 3, selector: (one) => one.from })
      .map((all) => all.toSorted((one, other) => one.from - other.from)),
    pairs: fc.array(pair, { minLength: 1, maxLength: 6 }),
    pausedPerson: fc.option(fc.record({ person: fc.integer({ min: 0, max: PEOPLE - 1 }), stretch })),
    enrolled: fc.uniqueArray(
      fc.record({
        person: fc.integer({ min: 0, max: PEOPLE - 1 }),
        role: fc.constantFrom('mentor' as const, 'mentee' as const),
        from: fc.integer({ min: 0, max: 260 }),
        length: fc.option(fc.integer({ min: 0, max: 100 })),
      }),
      { maxLength: 4, selector: (one) => `${one.person} ${one.role}` },
    ),
    capacity: fc.option(fc.integer({ min: 0, max: 3 })),
    liveFrom: fc.integer({ min: 0, max: 260 }),
  })
  .map((given) => ({
    ...given,
    firstStart: given.versions[0]?.from ?? 0,
    versions: given.versions.map((one, index) =>
      index === 0 ? { ...one, from: Math.min(one.from, given.liveFrom) } : one,
    ),
    pairs: given.pairs.map((one) => ({
      ...one,
      // What is still to come has no outcome yet.
      met: one.met.map((each) =>
        isPast(each, given.today) ? each : { ...each, what: 'unsettled' as const },
      ),
    })),
  }));

/** Writes the case in place of whatever the program had. Call it in a transaction. */
export async function write(client: pg.Client, program: number, given: Case): Promise<void> {
  const run = (text: string, values: unknown[] = []) => client.query(text, values);
  await run('update cadenced.clock set ahead_by = $1::timestamptz - now()', [
    dayOf(given.today).set({ hour: 12 }).toJSDate(),
  ]);
  await run('delete from cadenced.mentorship; delete from cadenced.calendar; delete from cadenced.person');
  await run('delete from cadenced.program_policy');
  const noon = (day: number) => dayOf(day).set({ hour: 12 }).toJSDate();
  await run('update cadenced.program set live_from = $2 where program_id = $1', [
    program,
    noon(given.liveFrom),
  ]);
  for (const [index, one] of given.versions.entries()) {
    const next = given.versions[index + 1];
    const policy = {
      ...POLICY,
      cadence: one.cadence,
      graceDays: one.grace,
      firstSessionDays: one.first,
      holidays: one.holidays.map(({ from, days }) => ({
        from: iso(from),
        until: iso(from + days - 1),
        name: null,
      })),
      benchmarks: one.benchmarks,
    };
    await run(
      'insert into cadenced.program_policy (program_id, valid_from, valid_until, policy) values ($1, $2, $3, $4)',
      [
        program,
        noon(index === 0 ? given.firstStart : one.from),
        next === undefined ? null : noon(next.from),
        JSON.stringify(policy),
      ],
    );
  }
  const { rows: people } = await run(
    `insert into cadenced.person (address, name)
     select 'p' || n || '@example.org', 'P' || n from generate_series(0, $1::int - 1) n returning person_id as id`,
    [PEOPLE],
  );
  const person = (index: number) => people[index]?.id as number;
  for (const [index, one] of given.pairs.entries()) {
    const ends = one.length === null ? null : iso(one.starts + one.length);
    const { rows } = await run(
      `insert into cadenced.mentorship (program_id, key, starts_on, ends_on) values ($1, $2, $3, $4)
       returning mentorship_id as id`,
      [program, `m${index}`, iso(one.starts), ends],
    );
    const id = rows[0]?.id as number;
    await run('update cadenced.mentorship set planned_ends_on = $2 where mentorship_id = $1', [
      id,
      one.length === null || one.sooner === null ? null : iso(one.starts + one.length + one.sooner),
    ]);
    await run(
      `insert into cadenced.membership (mentorship_id, person_id, role) values ($1, $2, 'mentor'), ($1, $3, 'mentee')`,
      [id, person(one.mentor), person(one.mentee)],
    );
    for (const { from, days } of one.paused) {
      await run('insert into cadenced.pause (mentorship_id, from_on, until_on) values ($1, $2, $3)', [
        id,
        iso(from),
        iso(from + days - 1),
      ]);
    }
    const met = one.met.map((each, number) => ({
      number,
      start: startOf(each).toISO(),
      status: each.what === 'cancelled' ? 'cancelled' : 'scheduled',
      outcome: each.what === 'unsettled' ? null : each.what,
      minutes: each.what === 'held' ? each.minutes : null,
      mentor: each.mentor,
      mentee: each.mentee,
    }));
    await run(
      `with met as (
         select * from jsonb_to_recordset($1) as it (number int, start timestamptz, status text, outcome text,
                                                     minutes numeric, mentor text, mentee text)
       ), meeting as (
         insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
         select number, start, start, start from met returning occurrence_id, lineage::int as number
       ), made as (
         insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at, status,
                                       cancelled_at, cancel_reason, outcome, overlap_minutes, settled_at)
         select occurrence_id, $2, start, start, start, status, case when status = 'cancelled' then start end,
                case when status = 'cancelled' then 'cancelled' end,
                outcome, minutes, case when outcome is not null then start end
           from met join meeting using (number)
         returning session_id, occurrence_id
       )
       insert into cadenced.participant (session_id, person_id, role, status)
       select session_id, case role when 'mentor' then $3::bigint else $4::bigint end, role,
              case role when 'mentor' then mentor else mentee end
         from made join meeting using (occurrence_id) join met using (number)
        cross join (values ('mentor'), ('mentee')) as side (role)`,
      [JSON.stringify(met), id, person(one.mentor), person(one.mentee)],
    );
  }
  if (given.pausedPerson !== null) {
    const { person: who, stretch: span } = given.pausedPerson;
    await run('insert into cadenced.pause (person_id, from_on, until_on) values ($1, $2, $3)', [
      person(who),
      iso(span.from),
      iso(span.from + span.days - 1),
    ]);
  }
  for (const one of given.enrolled) {
    await run('insert into cadenced.enrolment values ($1, $2, $3, $4, $5)', [
      program,
      person(one.person),
      one.role,
      iso(one.from),
      one.length === null ? null : iso(one.from + one.length),
    ]);
  }
  if (given.capacity !== null) {
    await run('insert into cadenced.mentor_capacity values ($1, $2, $3)', [
      program,
      person(0),
      given.capacity,
    ]);
  }
}

export function isPast(meeting: Meeting, today: number): boolean {
  return startOf(meeting) <= dayOf(today).set({ hour: 12 });
}

export function startOf(meeting: Meeting): DateTime {
  return dayOf(meeting.day).set({ hour: meeting.hour });
}
