import fc from 'fast-check';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renewMonths } from '../../src/store/months.ts';
import { runs } from '../support/properties.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let others: number[];

beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
  others = [await world.another('ada-lin'), await world.another('ada-kim')];
});
afterAll(() => world.close());

/** Every month counted from its sessions now, whatever is kept. `month-oracle.test.ts` proves the counting itself. */
const RECOUNT = `
  select program.name as program, counted.*
    from (select distinct program_id, month from cadenced.session_fact) as known
    join cadenced.program using (program_id)
   cross join lateral cadenced.count_months(known.program_id, known.month, known.month) as counted
   order by counted.program_id, counted.month`;
const KEPT = 'select * from cadenced.program_month_counts where scheduled > 0 order by program_id, month';

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
              start_delay_minutes = case when $2 = 'held' and $1::int % 3 > 0 then $1::int % 13 end,
              settled_at = case when $1::int % 4 > 0 then ends_at end
        where session_id in ${PICKED}`,
      [
        dice,
        ['held', 'held', 'too_short', 'one_sided', 'no_one', 'unknown', 'cancelled'][dice % 7],
        ['mentor_absent', 'mentee_absent', null][dice % 3],
      ],
    ),
  settleAll: () =>
    run(`update cadenced.session set outcome = 'held', provisional_at = ends_at, settled_at = ends_at
          where status = 'scheduled'`),
  /** A late record: the same outcome, other minutes. */
  arriveLater: (dice: number) =>
    run(
      'update cadenced.session set start_delay_minutes = $1::int % 13 where session_id in (select session_id from cadenced.session offset $2::int % 3)',
      [dice, dice],
    ),
  /** Whose it was becomes known. */
  blame: (dice: number) =>
    run(`update cadenced.session set cancelled_by = $1 where status = 'cancelled'`, [
      ['mentor', 'mentee', null][dice % 3],
    ]),
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
              cancelled_at = starts_at - ($1::int % 50) * interval '1 hour', cancelled_by = $2
        where session_id in ${PICKED}`,
      [dice, ['mentor', 'mentee', 'other', null][dice % 4]],
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
  /** The roster ends a mentorship, sooner, later or never. */
  end: (dice: number) =>
    run('update cadenced.mentorship set ends_on = $2 where mentorship_id = $1', [
      others[dice % 2],
      dice % 5 === 0 ? null : `2026-0${2 + (dice % 3)}-${10 + (dice % 18)}`,
    ]),
  /** The configuration changes: what was in force until now keeps its time. */
  async celebrate(dice: number) {
    const day = (days: number) => new Date(Date.UTC(2026, 1, 1 + days)).toISOString().slice(0, 10);
    const holidays = [dice % 50, dice % 90].map((from) => ({
      from: day(from),
      until: day(from + (dice % 12)),
    }));
    const { rows } = await run(
      `select greatest(timestamptz '2026-02-01 12:00Z' + $1 * interval '1 day', max(valid_from) + interval '1 hour') as at
         from cadenced.program_policy`,
      [dice % 70],
    );
    const since = rows[0]?.at;
    await run('update cadenced.program_policy set valid_until = $1 where valid_until is null', [since]);
    await run(
      `insert into cadenced.program_policy (program_id, valid_from, policy)
       values ($1, $2, jsonb_build_object('holidays', $3::jsonb))`,
      [world.ids.program, since, JSON.stringify(holidays)],
    );
  },
  /** A program that is no longer configured keeps its data and loses its rules. */
  abandon: (dice: number) =>
    run(
      `update cadenced.program_policy set valid_until = valid_from + ($1 + 1) * interval '1 hour' where valid_until is null`,
      [dice],
    ),
  rewrite: (dice: number) =>
    run(
      dice % 2 === 0
        ? 'delete from cadenced.program_policy where valid_from = (select min(valid_from) from cadenced.program_policy)'
        : `update cadenced.program_policy set policy = jsonb_set(policy, '{holidays}', '[{"from": "2026-02-20", "until": "2026-03-04"}]')
            where valid_from = (select min(valid_from) from cadenced.program_policy)`,
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
  it('equal a recount after whatever happens to sessions, pauses, holidays, ends, members and zones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            edit: fc.constantFrom<Edit>(...(Object.keys(EDITS) as Edit[]), 'book', 'book', 'book', 'judge'),
            dice: fc.nat(10_000),
            renewed: fc.boolean(),
          }),
          { minLength: 5, maxLength: 25 },
        ),
        async (edits) => {
          await run(`delete from cadenced.session; delete from cadenced.pause; delete from cadenced.program_policy;
                     update cadenced.mentorship set ends_on = null`);
          for (const { edit, dice, renewed } of edits) {
            // Only a month whose total is kept can be forgotten to be marked.
            if (renewed) await renewMonths(world.db);
            await EDITS[edit](dice);
            await expectSame(`${edit} ${dice}`);
          }
          await renewMonths(world.db);
          await expectSame('everything renewed');
          expect((await run('select from cadenced.stale_month')).rowCount).toBe(0);
        },
      ),
      { numRuns: runs(40), endOnFailure: true },
    );
  });

  const oak = `program_id = (select program_id from cadenced.program where name = 'oak')`;
  const holidays = (from: string, until: string) =>
    `'{"holidays": [{"from": "${from}", "until": "${until}"}]}'`;
  it.each([
    ['arrivals', `update cadenced.session set start_delay_minutes = 7 where outcome = 'held'`],
    ['who called off', `update cadenced.session set cancelled_by = 'mentor' where status = 'cancelled'`],
    [
      'who declined',
      `update cadenced.session set outcome_reason = 'declined_by_mentee' where outcome = 'cancelled'`,
    ],
    ['a first start', `update cadenced.session set first_starts_at = starts_at - interval '2 days'`],
    ['when it was seen', `update cadenced.session set first_seen_at = first_seen_at - interval '2 days'`],
    ['an end', `update cadenced.mentorship set ends_on = '2026-02-25' where key <> 'ada-kim'`],
    ['an end taken back', `update cadenced.mentorship set ends_on = null where key = 'ada-kim'`],
    [
      'a holiday',
      `update cadenced.program_policy set policy = ${holidays('2026-02-20', '2026-03-10')} where ${oak}`,
    ],
    [
      'new rules with a holiday',
      `update cadenced.program_policy set valid_until = '2026-02-10' where ${oak};
       insert into cadenced.program_policy (program_id, valid_from, policy)
       select program_id, '2026-02-10', ${holidays('2026-02-20', '2026-03-10')} from cadenced.program where name = 'oak'`,
    ],
    ['no more rules', `update cadenced.program_policy set valid_until = '2026-02-02' where ${oak}`],
    ['rules taken back', `delete from cadenced.program_policy where ${oak}`],
  ])('notice %s', async (_what, change) => {
    await run(`delete from cadenced.session; delete from cadenced.pause; delete from cadenced.program_policy;
               update cadenced.mentorship set ends_on = case key when 'ada-kim' then date '2026-02-02' end;
               update cadenced.program set time_zone = 'Europe/Berlin'`);
    await run(
      `insert into cadenced.program_policy (program_id, valid_from, policy)
       values ($1, '2026-01-01', ${holidays('2026-02-03', '2026-02-08')})`,
      [world.ids.program],
    );
    for (const dice of [6, 12, 18, 60, 61, 90, 96, 120]) await EDITS.book(dice);
    // Of each mentorship's sessions in turn: declined, held, called off.
    await run(
      `with turn as (
         select session_id, row_number() over (partition by mentorship_id order by starts_at, session_id) % 3 as place
           from cadenced.session
       )
       update cadenced.session
          set reschedules = 1, status = case place when 0 then 'cancelled' else 'scheduled' end,
              cancelled_at = case place when 0 then starts_at end, cancel_reason = case place when 0 then 'cancelled' end,
              outcome = case place when 1 then 'cancelled' when 2 then 'held' end,
              settled_at = case when place > 0 then ends_at end
         from turn where turn.session_id = session.session_id`,
    );
    await run(`update cadenced.session set first_seen_at = starts_at - interval '1 day'`);
    await renewMonths(world.db);
    const before = (await run(RECOUNT)).rows;
    await run(change);
    expect((await run(RECOUNT)).rows, 'the change counts').not.toEqual(before);
    await expectSame(change);
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
