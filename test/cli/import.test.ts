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

  it('says one thing where no program is known', async () => {
    await using fresh = await createTestDatabase();
    const unconfigured = terminal({ DATABASE_URL: fresh.url });
    const { code, err } = await unconfigured.run('import', files.write('early.csv', ROSTER));
    expect(code).toBe(2);
    expect(err).toEqual([expect.stringContaining('No program is known yet')]);
  });
});
