import { generateKeyPairSync } from 'node:crypto';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import { World } from '../../src/sandbox/world/index.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, terminal } from './terminal.ts';

/** Calendars whose state is well, because nobody refused them, and that are not read all the same. */

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';
const NAMES = ['ada', 'bo', 'cyd', 'dana'];
const ROSTER = [
  'program,mentorship,role,email,name,calendar,starts_on',
  ...NAMES.map((name, index) => {
    const pair = `pair-${Math.floor(index / 2)},${index % 2 === 0 ? 'mentor' : 'mentee'}`;
    return `Oak,${pair},${name}@north.example,${name},google,2026-01-05`;
  }),
].join('\n');

describe('cadenced doctor, of calendars that nobody refused', () => {
  let google: GoogleSandbox;
  let database: TestDatabase;
  let pool: Pool;
  let files: ReturnType<typeof folder>;
  beforeEach(async () => {
    const world = new World({ seed: 7, start: new Date().toISOString() });
    world.clock.stop();
    google = await startGoogleSandbox(world, { faults: createFaults({ now: () => world.now() }) });
    for (const name of NAMES) world.addPerson({ name, address: `${name}@north.example`, provider: 'google' });
    database = await createTestDatabase();
    pool = createPool({ url: database.url, max: 1, applicationName: 'test', log: silentLog() });
    files = folder();
    const { code, err } = await shell().run('import', files.write('roster.csv', ROSTER));
    expect([code, err]).toEqual([0, []]);
  });
  afterEach(async () => {
    await google.close();
    await pool.end();
    await database.drop();
    files[Symbol.dispose]();
  });

  const shell = (key: object = google.serviceAccountKey) =>
    terminal({
      DATABASE_URL: database.url,
      CADENCED_CONFIG: files.write('c.yaml', CONFIG),
      CADENCED_GOOGLE_KEY_FILE: files.write('key.json', JSON.stringify(key)),
      CADENCED_GOOGLE_API_URL: google.url,
      CADENCED_GOOGLE_TOKEN_URL: google.tokenUrl,
    });
  const told = async () => {
    const { out } = await shell().run('doctor');
    return out.filter((line) => /^\S+ +(?:calendars|[^,]+@.*\(google\)) - /.test(line));
  };
  const all = (facts: string) => pool.query(`update cadenced.calendar set ${facts}`);

  it('does not fail before the daemon was started, and says that none was read', async () => {
    expect(await told()).toEqual([
      'warn  ada@north.example, bo@north.example, cyd@north.example and 1 more (google) - not read yet  -> the daemon reads them as soon as it runs: cadenced start',
    ]);
  });

  it('finds nothing where all were read, and one that failed twice will be', async () => {
    expect((await shell().run('sync')).code).toBe(0);
    expect(await told()).toEqual(['ok    calendars - none is unreadable, nothing is held back']);
    await all(`failures = 2, last_complete_pass_at = cadenced.now() - interval '20 minutes'`);
    expect(await told()).toEqual([expect.stringMatching(/^ok .*none is unreadable/)]);
  });

  it('sends to the daemon where a new key works and the calendars still have the fault of the old one', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const replaced = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await shell({ ...google.serviceAccountKey, private_key: replaced }).run('sync');
    const { out } = await shell().run('doctor');
    expect(out.filter((line) => line.includes('google calendar - '))).toEqual(
      NAMES.map((name) => expect.stringMatching(`^ok +${name}@north.example, google calendar`)),
    );
    expect(await told()).toEqual([
      expect.stringMatching(
        /^FAIL .* and 1 more \(google\) - never read \(1 failure in a row, key_refused\) {2}-> .*restart the daemon/,
      ),
    ]);
  });

  it('tells since when they fail, each reason by itself', async () => {
    await all(`failures = 7, last_complete_pass_at = '2026-01-05T10:00Z'`);
    await pool.query(`update cadenced.calendar set config_fault = 'scope_missing' where address like 'bo@%'`);
    await pool.query(`update cadenced.calendar set failures = 0 where address like 'cyd@%'`);
    await pool.query(`update cadenced.calendar set state = 'denied' where address like 'dana@%'`);
    expect((await told()).toSorted()).toEqual([
      expect.stringMatching(
        /^FAIL {2}ada@north\.example \(google\) - not read since 2026-01-05T10:00:00\.000Z \(7 failures in a row\) {2}-> .*log of the daemon/,
      ),
      expect.stringMatching(
        /^FAIL {2}bo@.* not read since 2026-01-05.*\(7 failures in a row, scope_missing\) {2}-> .*restart the daemon/,
      ),
      expect.stringMatching(
        /^FAIL {2}cyd@.* not read since 2026-01-05T10:00:00\.000Z {2}-> .*see that the daemon runs/,
      ),
      expect.stringMatching(/^FAIL {2}dana@north\.example \(google\) - denied since/),
    ]);
  });

  it('goes by business time', async () => {
    await pool.query(`update cadenced.clock set ahead_by = interval '2 days'`);
    await all(`failures = 3, last_complete_pass_at = cadenced.now() - interval '31 minutes'`);
    expect(await told()).toEqual([expect.stringMatching(/^FAIL .*3 failures in a row/)]);
  });
});
