import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, terminal } from './terminal.ts';

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';
const ROSTER = [
  'program,mentorship,role,email,name,calendar,starts_on',
  'Oak,ada-ben,mentor,ada@oak.example,Ada Oak,google,2026-01-05',
  'Oak,ada-ben,mentee,ben@oak.example,Ben Oak,google,2026-01-05',
].join('\n');

let database: TestDatabase;
let pool: Pool;
let files: ReturnType<typeof folder>;
let shell: ReturnType<typeof terminal>;
let session: string;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'test', log: silentLog() });
  files = folder();
  shell = terminal({ DATABASE_URL: database.url, CADENCED_CONFIG: files.write('c.yaml', CONFIG) });
  expect((await shell.run('import', files.write('roster.csv', ROSTER))).code).toBe(0);
  const { rows } = await pool.query<{ session_id: number }>(`
    with meeting as (
      insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
      values ('meeting', cadenced.now() - interval '5 days', cadenced.now() - interval '5 days', cadenced.now())
      returning occurrence_id, starts_at, ends_at)
    insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at)
    select occurrence_id, mentorship_id, meeting.starts_at, meeting.ends_at, cadenced.now()
      from meeting, cadenced.mentorship returning session_id`);
  session = String(rows[0]?.session_id);
  await pool.query(`insert into cadenced.participant (session_id, person_id, role)
                    select session_id, person_id, role from cadenced.session join cadenced.membership using (mentorship_id)`);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  files[Symbol.dispose]();
});

describe('cadenced correct', () => {
  it('keeps who said what and why, and has the session judged again', async () => {
    const { code, out, err } = await shell.run(
      ...['correct', session, 'absent', '--email', 'BEN@oak.example', '--by', 'pat', '--reason', 'was ill'],
    );
    expect([code, err]).toEqual([0, []]);
    expect(out[0]).toMatch(/^kept as evidence \d+; /);
    const { rows } = await pool.query(
      `select kind, detail ->> 'by' as by, detail ->> 'reason' as reason, next_judgement_at <= cadenced.now() as due
         from cadenced.evidence join cadenced.session using (session_id)`,
    );
    expect(rows).toEqual([{ kind: 'absent', by: 'pat', reason: 'was ill', due: true }]);
  });

  it.each([
    ['999999', 'met', 'there is no session 999999'],
    ['own', 'perhaps', 'the status "perhaps" is not one of met, not_met'],
  ])('says in plain words why %s %s is refused', async (id, status, why) => {
    const { code, err } = await shell.run(
      ...['correct', id === 'own' ? session : id, status, '--by', 'pat', '--reason', 'why'],
    );
    expect([code, err.join('\n')]).toEqual([1, expect.stringContaining(why)]);
  });
});

describe('cadenced pause and resume', () => {
  const state = async () => (await pool.query('select state from mentoring.cadence')).rows[0]?.state;
  const days = ['--from', '2026-01-01', '--until', '2099-12-31'];

  it('pause a mentorship or a person, end it, and take it back', async () => {
    const before = await state();
    const own = await shell.run(
      'pause',
      '--program',
      'Oak',
      '--mentorship',
      'ada-ben',
      ...days,
      '--reason',
      'leave',
      '--by',
      'pat@oak.example',
    );
    expect([own.code, own.err]).toEqual([0, []]);
    expect(await state()).toBe('paused');
    const number = /^pause (\d+)/.exec(own.out[0] ?? '')?.[1] ?? '';
    expect((await shell.run('resume', number, '--after', '2026-01-20')).out).toEqual([
      `pause ${number} ends after 2026-01-20`,
    ]);
    expect(await state()).toBe(before);
    const early = await shell.run('resume', number, '--after', '2025-01-01');
    expect([early.code, early.err.join()]).toEqual([1, expect.stringContaining('begins after 2025-01-01')]);

    const person = await shell.run('pause', '--person', 'ada@oak.example', ...days);
    expect(await state()).toBe('paused');
    await shell.run('resume', /^pause (\d+)/.exec(person.out[0] ?? '')?.[1] ?? '');
    expect(await state()).toBe(before);
    expect((await shell.run('resume', '99')).code).toBe(1);
    const { rows: said } = await pool.query(
      `select mentorship, change, until_on::text, reason, said_by, recorded_by = session_user as recorded
         from mentoring.pause_history order by said_at`,
    );
    const leave = { mentorship: 'ada-ben', reason: 'leave', recorded: true };
    const ada = { mentorship: null, until_on: '2099-12-31', reason: null, said_by: null, recorded: true };
    expect(said).toEqual([
      { ...leave, change: 'added', until_on: '2099-12-31', said_by: 'pat@oak.example' },
      { ...leave, change: 'changed', until_on: '2026-01-20', said_by: null },
      { ...ada, change: 'added' },
      { ...ada, change: 'taken_back' },
    ]);
    await expect(pool.query(`update cadenced.pause_history set said_by = 'nobody'`)).rejects.toThrow(
      'append-only',
    );
  });

  it.each([
    [['--program', 'Oak', ...days]],
    [['--person', 'ada@oak.example', '--from', '2026-02-30', '--until', '2026-03-01']],
    [['--person', 'ada@oak.example', '--from', '2026-03-02', '--until', '2026-03-01']],
  ])('refuse a command line that cannot be meant: %s', async (given) => {
    expect((await shell.run('pause', ...given)).code).toBe(2);
  });
});
