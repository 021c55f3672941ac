import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, deleteCopy, World } from '../../src/sandbox/world/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, SEAL_KEY, terminal } from './terminal.ts';

/** `cadenced doctor` against both providers, as an administrator runs it after the roster was imported and read. */

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';
const ROSTER = [
  'program,mentorship,role,email,name,calendar,starts_on',
  'Oak,one,mentor,ada@south.example,Ada Blum,microsoft,2026-01-05',
  // Not the name that she signs in by.
  'Oak,one,mentee,b.lind@south.example,Bo Lind,microsoft,2026-01-05',
  'Oak,two,mentor,fay@south.example,Fay Orr,microsoft,2026-01-05',
  'Oak,two,mentee,dana@north.example,Dana Hill,google,2026-01-05',
].join('\n');

let world: World;
let faults: Faults;
let microsoft: MicrosoftSandbox;
let google: GoogleSandbox;
let database: TestDatabase;
let files: ReturnType<typeof folder>;
let env: Record<string, string>;

beforeAll(async () => {
  world = new World({ seed: 7, start: new Date().toISOString() });
  world.clock.stop();
  faults = createFaults({ now: () => world.now() });
  microsoft = await startMicrosoftSandbox(world, { faults, habits: { trashAnswers: true } });
  google = await startGoogleSandbox(world, { faults });
  for (const [name, address, alias] of [
    ['Ada Blum', 'ada@south.example'],
    ['Bo Lind', 'bo@south.example', 'b.lind@south.example'],
    ['Fay Orr', 'fay@south.example'],
    ['The Chief', 'chief@south.example'],
  ] as const) {
    world.addPerson({ name, address, provider: 'microsoft', ...(alias && { aliases: [alias] }) });
  }
  world.addPerson({ name: 'Dana Hill', address: 'dana@north.example', provider: 'google' });
  database = await createTestDatabase();
  files = folder();
  env = {
    DATABASE_URL: database.url,
    CADENCED_CONFIG: files.write('c.yaml', CONFIG),
    CADENCED_SEAL_KEYS: SEAL_KEY,
    CADENCED_GOOGLE_KEY_FILE: files.write('key.json', JSON.stringify(google.serviceAccountKey)),
    CADENCED_GOOGLE_API_URL: google.url,
    CADENCED_GOOGLE_TOKEN_URL: google.tokenUrl,
    CADENCED_MICROSOFT_TENANT: microsoft.tenant,
    CADENCED_MICROSOFT_CLIENT_ID: microsoft.clientId,
    CADENCED_MICROSOFT_CLIENT_SECRET: microsoft.clientSecret,
    CADENCED_MICROSOFT_GRAPH_URL: microsoft.graphUrl,
    CADENCED_MICROSOFT_TOKEN_URL: microsoft.tokenUrl,
    CADENCED_MICROSOFT_NEGATIVE_PROBE: 'chief@south.example',
  };
  const { code, err } = await terminal(env).run('import', files.write('roster.csv', ROSTER));
  expect([code, err]).toEqual([0, []]);
});
afterAll(async () => {
  await microsoft.close();
  await google.close();
  await database.drop();
  files[Symbol.dispose]();
});

const doctor = async (more: Readonly<Record<string, string>> = {}) => {
  const { code, out } = await terminal({ ...env, ...more }).run('doctor');
  const found = (what: string) => out.filter((line) => line.includes(what));
  return { code, out, found };
};

describe('cadenced doctor', () => {
  it('tells of each calendar and of the tenant, also by an address that nobody signs in with', async () => {
    const { code, out, found } = await doctor();
    expect(found('b.lind@south.example, microsoft').map((line) => line.slice(0, 4).trim())).toEqual(
      Array.from({ length: 5 }, () => 'ok'),
    );
    expect(found('microsoft requests at once')).toEqual([
      expect.stringMatching(/^ok .*requests at once to 3 mailboxes/),
    ]);
    expect(found('microsoft deleted events')).toEqual([expect.stringMatching(/^ok .*not tried/)]);
    expect(found('google reports')).toEqual([
      expect.stringMatching(/^warn .*log of Meet is not read.*-> set CADENCED_GOOGLE_ADMIN_SUBJECT/),
    ]);
    // The one thing to mend: the chief's calendar can be read.
    expect(out.filter((line) => line.startsWith('FAIL'))).toEqual([
      expect.stringContaining('microsoft restriction - chief@south.example can be read'),
    ]);
    expect(code).toBe(1);
  });

  it('asks for what was deleted since, and tells that the trash still gives it', async () => {
    const meeting = createMeeting(world, {
      organizer: 'fay@south.example',
      guests: ['ada@south.example', 'bo@south.example'],
      title: 'Session #mentoring',
      start: new Date(world.now() + 2 * 86_400_000).toISOString().slice(0, 16),
    });
    expect((await terminal(env).run('sync')).code).toBe(0);
    deleteCopy(world, { meeting: meeting.id, person: 'ada@south.example' });
    expect((await terminal(env).run('sync')).code).toBe(0);
    const { found } = await doctor();
    expect(found('microsoft deleted events')).toEqual([
      expect.stringMatching(
        /^ok .*from the trash; cadenced believes no event that the calendar does not show/,
      ),
    ]);
  });

  it('asks the log of Meet where there is an administrator to ask in whose name', async () => {
    const { found } = await doctor({ CADENCED_GOOGLE_ADMIN_SUBJECT: 'dana@north.example' });
    expect(found('google reports')).toEqual([expect.stringContaining('dana@north.example, google reports')]);
  });
});
