import fc from 'fast-check';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renewMonths } from '../../src/store/months.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let others: number[];

beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
  others = [await world.another('ada-lin'), await world.another('ada-kim')];
});
afterAll(() => world.close());

const COUNTS = `scheduled, held, too_short, one_sided, no_one, cancelled, unknown, pending, paused, late_cancelled,
  rescheduled, mentor_no_show, mentee_no_show, hours, scheduled_hours`;

/** The definitions of the columns, said once more and plainly: every session looked at, nothing kept. */
const RECOUNT = `
  with fact as (
    select program.name as program, session.*,
           date_trunc('month', session.starts_at at time zone program.time_zone)::date as month,
           case when outcome = 'cancelled' or (status = 'cancelled' and outcome is null) then 'cancelled'
                when settled_at is null then 'pending'
                when exists (select from cadenced.pause
                              where (pause.mentorship_id = session.mentorship_id
                                     or pause.person_id in (select person_id from cadenced.membership
                                                             where membership.mentorship_id = session.mentorship_id))
                                and (session.starts_at at time zone program.time_zone)::date
                                    between from_on and until_on) then 'paused'
                else outcome end as counts
      from cadenced.session join cadenced.mentorship using (mentorship_id) join cadenced.program using (program_id)
  ), meeting as (
    select program, month, occurrence_id,
           max(overlap_minutes) filter (where counts in ('held', 'paused') and outcome = 'held') as minutes,
           max(extract(epoch from ends_at - starts_at) / 60) filter (where counts <> 'cancelled') as booked
      from fact group by 1, 2, 3
  ), counted as (
    select program, month, count(*) as scheduled,
           count(*) filter (where counts = 'held') as held,
           count(*) filter (where counts = 'too_short') as too_short,
           count(*) filter (where counts = 'one_sided') as one_sided,
           count(*) filter (where counts = 'no_one') as no_one,
           count(*) filter (where counts = 'cancelled') as cancelled,
           count(*) filter (where counts = 'unknown') as unknown,
           count(*) filter (where counts = 'pending') as pending,
           count(*) filter (where counts = 'paused') as paused,
           count(*) filter (where counts = 'cancelled' and starts_at - cancelled_at < interval '24 hours') as late_cancelled,
           count(*) filter (where reschedules > 0) as rescheduled,
           count(*) filter (where counts = 'no_one' or (counts = 'one_sided' and outcome_reason = 'mentor_absent')) as mentor_no_show,
           count(*) filter (where counts = 'no_one' or (counts = 'one_sided' and outcome_reason = 'mentee_absent')) as mentee_no_show
      from fact group by 1, 2
  )
  select program, month::text, ${COUNTS}
    from counted
    join (select program, month, round(coalesce(sum(minutes), 0) / 60, 2) as hours,
                 round(coalesce(sum(booked), 0) / 60, 2) as scheduled_hours
            from meeting group by 1, 2) as time using (program, month)
   order by program, month`;
const KEPT = `select program, month::text, ${COUNTS} from mentoring.program_month order by program, month`;

async function expectSame(because: string): Promise<void> {
  const kept = (await world.pool.query(KEPT)).rows;
  expect(kept, because).toEqual((await world.pool.query(RECOUNT)).rows);
}

const run = (text: string, values: unknown[] = []) => world.pool.query(text, values);
/** The n-th of the sessions there are, and no row when there is none. */
const PICKED = `(select session_id from cadenced.session order by session_id
                 offset $1::int % greatest((select count(*) from cadenced.session), 1) limit 1)`;

/** What syncs, judges, rosters and administrators do to the rows the months are counted from. */
const EDITS = {
  async book(dice: number) {
    const shared = dice % 3 === 0;
    const made = await run(
      `insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
       select 'uid', at, at + interval '50 minutes', at
         from (select timestamptz '2026-01-31 21:30Z' + $1 * interval '7 hours' as at) as time
       returning occurrence_id`,
      [dice % 300],
    );
    await run(
      `insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at)
       select occurrence_id, mentorship_id, starts_at, ends_at, starts_at
         from cadenced.occurrence, cadenced.mentorship
        where occurrence_id = $1 and ($2 or mentorship_id = $3)`,
      [made.rows[0]?.occurrence_id, shared, dice % 2 === 0 ? world.ids.mentorship : others[0]],
    );
  },
  judge: (dice: number) =>
    run(
      `update cadenced.session
          set outcome = case when status = 'cancelled' then 'cancelled' else $2 end, outcome_reason = $3,
              overlap_minutes = case when $2 = 'held' then $1::int % 60 end, provisional_at = ends_at,
              settled_at = case when $1::int % 4 > 0 then ends_at end
        where session_id in ${PICKED}`,
      [
        dice,
        ['held', 'held', 'too_short', 'one_sided', 'no_one', 'unknown', 'cancelled'][dice % 7],
        ['mentor_absent', 'mentee_absent', null][dice % 3],
      ],
    ),
  move: (dice: number) =>
    run(
      `update cadenced.session
          set starts_at = starts_at + ($1::int % 41 - 20) * interval '1 day',
              ends_at = ends_at + ($1::int % 41 - 20) * interval '1 day', reschedules = reschedules + 1
        where session_id in ${PICKED}`,
      [dice],
    ),
  cancel: (dice: number) =>
    run(
      `update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled',
              cancelled_at = starts_at - ($1::int % 50) * interval '1 hour'
        where session_id in ${PICKED}`,
      [dice],
    ),
  remove: (dice: number) => run(`delete from cadenced.session where session_id in ${PICKED}`, [dice]),
  pause: (dice: number) =>
    run(
      `insert into cadenced.pause (mentorship_id, person_id, from_on, until_on)
       select case when $1::int % 2 = 0 then $2::bigint end, case when $1::int % 2 = 1 then $3::bigint end,
              date '2026-02-01' + $1::int % 60,
              case when $1::int % 9 = 0 then 'infinity' else date '2026-02-01' + $1::int % 60 + 20 end`,
      [dice, others[dice % 2], dice % 4 === 1 ? world.ids.mentor : world.ids.mentee],
    ),
  lengthen: (dice: number) =>
    run(`update cadenced.pause set from_on = from_on - 10 where pause_id % 2 = $1::int % 2`, [dice]),
  resume: () => run(`delete from cadenced.pause where pause_id = (select max(pause_id) from cadenced.pause)`),
  leave: (dice: number) =>
    run('delete from cadenced.membership where person_id = $1 and mentorship_id = $2', [
      world.ids.mentor,
      others[dice % 2],
    ]),
  join: (dice: number) =>
    run(
      `insert into cadenced.membership (mentorship_id, person_id, role) values ($2, $1, 'mentor')
       on conflict (mentorship_id, person_id) do update set role = excluded.role`,
      [world.ids.mentor, others[dice % 2]],
    ),
  emigrate: (dice: number) =>
    run('update cadenced.program set time_zone = $1', [
      ['Europe/Berlin', 'Pacific/Auckland', 'America/Havana', 'Pacific/Pago_Pago'][dice % 4],
    ]),
  renew: (dice: number) => run('select cadenced.renew_months($1)', [1 + (dice % 3)]),
  renewAll: () => renewMonths(world.db),
};
type Edit = keyof typeof EDITS;

describe('the kept months', () => {
  it('equal a recount after whatever happens to sessions, pauses, members and zones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            edit: fc.constantFrom<Edit>(...(Object.keys(EDITS) as Edit[]), 'book', 'book', 'book', 'judge'),
            dice: fc.nat(10_000),
          }),
          { minLength: 5, maxLength: 25 },
        ),
        async (edits) => {
          await run('delete from cadenced.session; delete from cadenced.pause');
          for (const { edit, dice } of edits) {
            await EDITS[edit](dice);
            await expectSame(`${edit} ${dice}`);
          }
          await renewMonths(world.db);
          await expectSame('everything renewed');
          expect((await run('select from cadenced.stale_month')).rowCount).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are right for a change that commits after the renewal that could not see it', async () => {
    await run('delete from cadenced.session');
    await EDITS.book(1);
    await renewMonths(world.db);
    const writer = new pg.Client({ connectionString: world.url });
    await writer.connect();
    try {
      await writer.query('begin');
      await writer.query(`update cadenced.session set starts_at = starts_at + interval '40 days',
                                 ends_at = ends_at + interval '40 days'`);
      // Another mark of the same month, so that there is something to renew meanwhile.
      await EDITS.book(2);
      await renewMonths(world.db);
      await writer.query('commit');
      await expectSame('before the next renewal');
      await renewMonths(world.db);
      await expectSame('after it');
    } finally {
      await writer.end();
    }
  });

  it('are renewed by one at a time; another goes on without waiting', async () => {
    await EDITS.book(3);
    const client = await world.pool.connect();
    try {
      await client.query('begin');
      await client.query('select cadenced.renew_months(10)');
      expect(await renewMonths(world.db)).toBe(0);
      await expectSame('while the first has not committed');
    } finally {
      await client.query('rollback');
      client.release();
    }
    expect(await renewMonths(world.db)).toBeGreaterThan(0);
    await expectSame('the next one took over');
  });

  it('do not mark a month for what counts nowhere', async () => {
    await renewMonths(world.db);
    await sql`update cadenced.session set next_judgement_at = cadenced.now(), ordinal = 1`.execute(world.db);
    expect((await run('select from cadenced.stale_month')).rowCount).toBe(0);
  });

  it('are forgotten with the program, and when every session is truncated', async () => {
    await run('truncate cadenced.session cascade');
    expect((await run('select from mentoring.program_month')).rowCount).toBe(0);
    await expectSame('nothing is left');
  });
});
