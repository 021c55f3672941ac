import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDispatcher, QUEUES } from '../../src/jobs/dispatcher.ts';
import type { JobRunner } from '../../src/jobs/job-runner.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createWorkFinder } from '../../src/store/due-work.ts';
import { watchCadence } from '../../src/usecases/watch-cadence.ts';
import { runs } from '../support/properties.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let others: number[];

beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
  others = [await world.another('ada-lin'), await world.another('ada-kim')];
});
afterAll(() => world.close());

const run = (text: string, values: unknown[] = []) => world.pool.query(text, values);
const PICKED = `(select session_id from cadenced.session order by session_id
                 offset $1::int % greatest((select count(*) from cadenced.session), 1) limit 1)`;

/** What syncs, judges, rosters, settings and administrators do to what a standing is made of. */
const EDITS = {
  book: async (dice: number) => {
    const { rows } = await run(
      `insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
       select 'uid', at, at + interval '50 minutes', at
         from (select timestamptz '2026-03-01 09:00Z' + $1 * interval '11 hours' as at) as time
       returning occurrence_id`,
      [dice % 200],
    );
    const made = await run(
      `insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at)
       select occurrence_id, $2, starts_at, ends_at, starts_at from cadenced.occurrence where occurrence_id = $1
       returning session_id`,
      [rows[0]?.occurrence_id, dice % 2 === 0 ? world.ids.mentorship : others[0]],
    );
    await run(
      `insert into cadenced.participant (session_id, person_id, role)
       select $1, person_id, role from cadenced.membership where mentorship_id = $2`,
      [made.rows[0]?.session_id, dice % 2 === 0 ? world.ids.mentorship : others[0]],
    );
  },
  judge: (dice: number) =>
    run(
      `update cadenced.session
          set outcome = $2, provisional_at = ends_at, settled_at = case when $1::int % 4 > 0 then ends_at end
        where session_id in ${PICKED} and status = 'scheduled'`,
      [dice, ['held', 'held', 'one_sided', 'unknown'][dice % 4]],
    ),
  move: (dice: number) =>
    run(
      `update cadenced.session set starts_at = starts_at + ($1::int % 41 - 20) * interval '1 day',
              ends_at = ends_at + ($1::int % 41 - 20) * interval '1 day', reschedules = reschedules + 1
        where session_id in ${PICKED}`,
      [dice],
    ),
  cancel: (dice: number) =>
    run(
      `update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled',
              cancelled_at = starts_at - interval '1 hour' where session_id in ${PICKED}`,
      [dice],
    ),
  remove: (dice: number) => run(`delete from cadenced.session where session_id in ${PICKED}`, [dice]),
  answer: (dice: number) =>
    run(`update cadenced.participant set rsvp = $2 where session_id in ${PICKED}`, [
      dice,
      ['declined', 'accepted'][dice % 2],
    ]),
  pause: (dice: number) =>
    run(
      `insert into cadenced.pause (mentorship_id, person_id, from_on, until_on)
       select case when $1::int % 2 = 0 then $2::bigint end, case when $1::int % 2 = 1 then $3::bigint end,
              date '2026-03-01' + $1::int % 60, date '2026-03-01' + $1::int % 60 + $1::int % 50`,
      [dice, others[dice % 2], dice % 4 === 1 ? world.ids.mentor : world.ids.mentee],
    ),
  lengthen: () => run('update cadenced.pause set until_on = until_on + 20'),
  resume: () => run('delete from cadenced.pause where pause_id = (select max(pause_id) from cadenced.pause)'),
  leave: (dice: number) =>
    run('delete from cadenced.membership where person_id = $1 and mentorship_id = $2', [
      world.ids.mentor,
      others[dice % 2],
    ]),
  join: (dice: number) =>
    run(
      `insert into cadenced.membership (mentorship_id, person_id, role) values ($2, $1, 'mentor')
       on conflict (mentorship_id, person_id) do nothing`,
      [world.ids.mentor, others[dice % 2]],
    ),
  end: (dice: number) =>
    run(`update cadenced.mentorship set ends_on = $1 where mentorship_id = $2`, [
      [null, '2026-04-01', '2026-05-08', '2026-12-01'][dice % 4],
      others[dice % 2],
    ]),
  emigrate: (dice: number) =>
    run('update cadenced.program set time_zone = $1', [
      ['Europe/Berlin', 'Pacific/Auckland', 'Pacific/Pago_Pago'][dice % 3],
    ]),
  rule: (dice: number) =>
    run(
      `update cadenced.program_policy set policy = policy || jsonb_build_object('graceDays', $1::int % 30)`,
      [dice],
    ),
  lose: (dice: number) =>
    run(`update cadenced.calendar set state = $1, state_since = cadenced.now()`, [
      ['denied', 'active', 'gone'][dice % 3],
    ]),
  retire: (dice: number) =>
    run(`update cadenced.calendar set retired_at = case when $1::int % 2 = 0 then cadenced.now() end`, [
      dice,
    ]),
  read: (dice: number) =>
    run(`update cadenced.calendar set last_complete_pass_at = cadenced.now() - $1::int * interval '1 day'`, [
      dice % 2,
    ]),
};
type Edit = keyof typeof EDITS;

const STANDING = `select mentorship_id::text as id, to_jsonb(cadence) - 'due_at' as stands from mentoring.cadence order by 1`;
async function standings(): Promise<Map<string, unknown>> {
  const { rows } = await run(STANDING);
  return new Map(rows.map((row) => [row.id, row.stands]));
}

const due = async () =>
  (await createWorkFinder(world.db, 'P1D', { providers: [], reachable: false }).find(1)).cadence;
const openAlerts = async () =>
  (
    await run(
      `select mentorship_id::text as id, kind from cadenced.alert where resolved_at is null order by 1, 2`,
    )
  ).rows;

describe('the marks of the cadence watch', () => {
  it('name every mentorship that stands elsewhere after a change', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            edit: fc.constantFrom<Edit>(...(Object.keys(EDITS) as Edit[]), 'book', 'book', 'judge'),
            dice: fc.nat(10_000),
          }),
          { minLength: 5, maxLength: 25 },
        ),
        async (edits) => {
          await run(`delete from cadenced.session; delete from cadenced.pause;
                     update cadenced.calendar set state = 'active', retired_at = null, last_complete_pass_at = cadenced.now();
                     delete from cadenced.cadence_mark`);
          let before = await standings();
          for (const { edit, dice } of edits) {
            await EDITS[edit](dice);
            const after = await standings();
            const moved = [...after]
              .filter(([id, stands]) => !isSame(stands, before.get(id)))
              .map(([id]) => id);
            const { rows } = await run(
              'select distinct mentorship_id::text as id from cadenced.cadence_mark',
            );
            expect(
              rows.map((row) => row.id),
              `${edit} ${dice}`,
            ).toEqual(expect.arrayContaining(moved));
            await run('delete from cadenced.cadence_mark');
            before = after;
          }
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it('are gone when their mentorships were compared; then nothing is due until something happens', async () => {
    await watchCadence(world.deps);
    expect(await due()).toBe(false);
    await EDITS.book(100);
    expect(await due()).toBe(true);
    await watchCadence(world.deps);
    expect(await due()).toBe(false);
    // Judged again to the same end: nothing stands elsewhere.
    await run('update cadenced.session set next_judgement_at = null, ordinal = 7');
    expect(await due()).toBe(false);
  });

  it('spare the others: only what changed is compared until the turn of its program comes', async () => {
    await run(`delete from cadenced.session; delete from cadenced.pause;
               update cadenced.mentorship set ends_on = null;
               update cadenced.program_policy set policy = policy || '{"graceDays": 7}';
               update cadenced.calendar set state = 'active', retired_at = null, last_complete_pass_at = cadenced.now()`);
    await watchCadence(world.deps);
    const open = await openAlerts();
    expect(open.length).toBeGreaterThan(0);
    await run('delete from cadenced.alert; delete from cadenced.cadence_mark');
    // Their alerts would be opened again if they were looked at.
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 0, resolved: 0 });
    await world.travelTo('2026-05-01T13:01');
    await run('delete from cadenced.cadence_mark');
    expect(await due()).toBe(true);
    await watchCadence(world.deps);
    expect(await openAlerts()).toEqual(open);
  });

  it('tell of sight that comes back', async () => {
    await run(`update cadenced.calendar set last_complete_pass_at = cadenced.now() - interval '5 days'`);
    await run('delete from cadenced.cadence_mark');
    await run('update cadenced.calendar set last_attempt_at = cadenced.now()');
    expect(await due()).toBe(false);
    await run('update cadenced.calendar set last_complete_pass_at = cadenced.now()');
    expect(await due()).toBe(true);
  });

  it('do not fail a clock that was put back', async () => {
    await world.travelTo('2026-06-01T12:00');
    await watchCadence(world.deps);
    await world.travelTo('2026-05-02T12:00');
    await run('delete from cadenced.cadence_mark');
    expect(await due()).toBe(true);
    await watchCadence(world.deps);
    expect(await due()).toBe(false);
  });

  it('come before midnight of the zone is over', async () => {
    await run(`update cadenced.program set time_zone = 'Europe/Berlin'`);
    await world.travelTo('2026-05-02T23:40');
    await watchCadence(world.deps);
    expect(await due()).toBe(false);
    await world.travelTo('2026-05-03T00:00');
    expect(await due()).toBe(true);
  });

  it('make one job, whatever their number', async () => {
    const added: string[] = [];
    const jobs = {
      enqueue: async (queue: string) => added.push(queue) > 0,
      drained: async () => undefined,
    } as unknown as JobRunner;
    const dispatcher = createDispatcher({
      finder: createWorkFinder(world.db, 'P1D', { providers: [], reachable: false }),
      jobs,
      clock: world.clock,
      log: silentLog(),
    });
    await EDITS.book(3);
    await EDITS.book(4);
    await dispatcher.dispatch();
    expect(added.filter((queue) => queue === QUEUES.cadence)).toEqual([QUEUES.cadence]);
    expect(added).toContain(QUEUES.months);
    const { rows } = await sql<{
      left: number;
    }>`select count(*)::int as left from cadenced.cadence_mark`.execute(world.db);
    expect(rows[0]?.left).toBeGreaterThan(1);
  });
});

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
