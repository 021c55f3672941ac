import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, terminal } from './terminal.ts';

const CONFIG =
  'programs: [{name: Oak, time_zone: Europe/Berlin, tags: ["#mentoring"], cadence: {every: P14D}}]';
const HEAD = 'program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language';
const ROSTER = [
  HEAD,
  'Oak,ada-ben,mentor,ada@oak.example,Ada Oak,Europe/Berlin,google,2026-01-05,,ada.o@oak.example,en',
  'Oak,ada-ben,mentee,ben@oak.example,Ben Oak,,microsoft,2026-01-05,,,',
].join('\n');

let database: TestDatabase;
let pool: Pool;
let files: ReturnType<typeof folder>;
let shell: ReturnType<typeof terminal>;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'test', log: silentLog() });
  files = folder();
  shell = terminal({ DATABASE_URL: database.url, CADENCED_CONFIG: files.write('c.yaml', CONFIG) });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  files[Symbol.dispose]();
});

async function stored(): Promise<{ people: number; mentorships: number; calendars: number }> {
  const { rows } = await pool.query(`
    select (select count(*)::int from cadenced.person) as people,
           (select count(*)::int from cadenced.mentorship) as mentorships,
           (select count(*)::int from cadenced.calendar) as calendars`);
  return rows[0];
}

const NOTHING = { people: 0, mentorships: 0, calendars: 0 };

describe('cadenced import', () => {
  it('names every mistake by its line and imports nothing of the file', async () => {
    const broken = [
      HEAD,
      'Oak,good,mentor,fine@oak.example,Fine,,google,2026-01-05,,,',
      'Oka,b,mentor,a@oak.example,A,,google,2026-01-05,,,',
      'Oak,b,mentro,b@oak.example,B,,google,2026-01-05,,,',
      'Oak,b,mentee,not an address,C,,google,2026-01-05,,,',
      'Oak,b,mentee,d@oak.example,D,Mars/Base,google,2026-01-05,,,',
      'Oak,b,mentee,e@oak.example,E,,outlook,2026-01-05,,,',
      'Oak,b,mentee,f@oak.example,F,,google,2026-02-31,,,',
      'Oak,b,mentee,g@oak.example,G,,google,2026-01-05,2025-01-05,,',
      'Oak,b,mentee,h@oak.example,H,,google,2026-01-05,,nonsense,',
      'Oak,b,mentee,i@oak.example,I,,google,2026-01-05,,,not-a-language-tag!',
    ].join('\n');
    const file = files.write('broken.csv', broken);
    const { code, out, err } = await shell.run('import', file);
    expect(code).toBe(1);
    expect(out).toEqual([]);
    for (let line = 3; line <= 11; line++) {
      expect(err.filter((text) => text.startsWith(`${file}, line ${line},`))).not.toEqual([]);
    }
    expect(err.join('\n')).toContain('did you mean mentor?');
    expect(err.at(-1)).toMatch(/^Nothing was imported: \d+ mistakes\.$/);
    expect(await stored()).toEqual(NOTHING);
  });

  it.each([
    ['a column that nobody knows', `${HEAD},shoe_size\n`, 'shoe_size'],
    ['an empty file', '', 'line 1'],
    ['broken JSON', '[{"program": "Oak"', 'line 1'],
  ])('refuses %s', async (_name, text, told) => {
    const { code, err } = await shell.run('import', files.write('odd.csv', text));
    expect(code).toBe(1);
    expect(err.join('\n')).toContain(told);
    expect(await stored()).toEqual(NOTHING);
  });

  it('refuses a file that is not there, or not UTF-8, before it asks the database', async () => {
    const away = terminal({ DATABASE_URL: 'postgres://127.0.0.1:1/x' });
    const missing = await away.run('import', '/nonexistent/roster.csv');
    expect([missing.code, missing.err.join()]).toEqual([2, expect.stringContaining('there is no such file')]);
    const latin = files.write('latin.csv', Buffer.from(ROSTER.replace('Ada Oak', 'Ad\u00e9'), 'latin1'));
    const spreadsheet = await away.run('import', latin);
    expect([spreadsheet.code, spreadsheet.err.join()]).toEqual([2, expect.stringContaining('CSV UTF-8')]);
  });

  it('shows, applies, and then finds nothing to change', async () => {
    const file = files.write('roster.csv', ROSTER);
    const shown = await shell.run('import', file, '--dry-run');
    expect(shown.code).toBe(0);
    expect(shown.out).toEqual(
      expect.arrayContaining([
        '+ person ada@oak.example (Ada Oak, calendar google)',
        '+ alias ada.o@oak.example of ada@oak.example',
        '+ mentorship Oak / ada-ben: 2026-01-05 to open',
        'This was a dry run: nothing was changed.',
      ]),
    );
    expect(await stored()).toEqual(NOTHING);

    const applied = await shell.run('import', file);
    expect(applied.code).toBe(0);
    expect(applied.out.slice(0, -1)).toEqual(shown.out.slice(0, -1));
    expect(await stored()).toEqual({ people: 2, mentorships: 1, calendars: 2 });

    const again = await shell.run('import', file);
    expect(again).toEqual({ code: 0, out: ['Nothing to change.'], err: [] });
  });

  it('takes in who waits, what mentors have room for, and what pauses, and keeps what was said', async () => {
    const head = `${HEAD},capacity,paused_from,paused_until`;
    const file = (mentor: string, waits = '') =>
      files.write(
        'wide.csv',
        [
          head,
          `Oak,eve-max,mentor,eve@oak.example,Eve Oak,,google,2026-01-05,${mentor}`,
          'Oak,eve-max,mentee,max@oak.example,Max Oak,,google,,,,,,,',
          `Oak,,mentee,una@oak.example,Una Oak,,google,2026-02-01,${waits},,,,,`,
        ].join('\n'),
      );
    const first = await shell.run('import', file('2099-06-30,,,3,2026-07-01,2026-08-31'), '--dry-run');
    expect(first.out).toEqual(
      expect.arrayContaining([
        '+ enrolled una@oak.example in Oak as mentee: from 2026-02-01 to open',
        '~ capacity of eve@oak.example in Oak: not said -> 3',
        '+ pause of Oak / eve-max: 2026-07-01 to 2026-08-31',
      ]),
    );
    expect((await shell.run('import', file('2099-06-30,,,3,2026-07-01,2026-08-31'))).code).toBe(0);
    expect((await shell.run('import', file('2099-06-30,,,3,2026-07-01,2026-08-31'))).out[0]).toBe(
      'Nothing to change.',
    );
    // Ended sooner, and the pause lasts longer.
    const again = await shell.run('import', file('2026-11-01,,,2,2026-07-01,2026-09-15', '2026-12-31'));
    expect(again.out).toEqual(
      expect.arrayContaining([
        '~ mentorship Oak / eve-max: 2026-01-05 to 2099-06-30 -> 2026-01-05 to 2026-11-01',
        '~ capacity of eve@oak.example in Oak: 3 -> 2',
        '~ pause of Oak / eve-max: 2026-07-01 to 2026-08-31 -> 2026-07-01 to 2026-09-15',
      ]),
    );
    const { rows: ends } = await pool.query(
      `select ends_on::text, planned_ends_on::text from cadenced.mentorship where key = 'eve-max'`,
    );
    expect(ends).toEqual([{ ends_on: '2026-11-01', planned_ends_on: '2099-06-30' }]);
    const { rows: said } = await pool.query(
      `select change, until_on::text, said_by, recorded_by is not null as recorded
         from mentoring.pause_history where mentorship = 'eve-max' order by said_at, change`,
    );
    expect(said).toEqual([
      { change: 'added', until_on: '2026-08-31', said_by: 'roster import', recorded: true },
      { change: 'changed', until_on: '2026-09-15', said_by: 'roster import', recorded: true },
    ]);
    // Nobody reads the calendar of somebody who only waits; once she is matched, it is read.
    const calendars = `select address from cadenced.calendar where address = 'una@oak.example' and retired_at is null`;
    expect((await pool.query(calendars)).rows).toEqual([]);
    const matched = files.write(
      'matched.csv',
      [
        HEAD,
        'Oak,eve-una,mentor,eve@oak.example,Eve Oak,,google,2026-03-01,,,',
        'Oak,eve-una,mentee,una@oak.example,Una Oak,,google,,,,',
      ].join('\n'),
    );
    expect((await shell.run('import', matched)).code).toBe(0);
    expect((await pool.query(calendars)).rows).toHaveLength(1);
    expect((await pool.query('select mentorships from cadenced.mentor_capacity')).rows).toEqual([
      { mentorships: 2 },
    ]);
  });

  it('says one thing where no program is known', async () => {
    await using fresh = await createTestDatabase();
    const unconfigured = terminal({ DATABASE_URL: fresh.url });
    const { code, err } = await unconfigured.run('import', files.write('early.csv', ROSTER));
    expect(code).toBe(2);
    expect(err).toEqual([expect.stringContaining('No program is known yet')]);
  });
});
