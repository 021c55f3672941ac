import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import { type MailSink, startMailSink } from '../../src/sandbox/mail/mail-sink.ts';
import { startMicrosoftSandbox } from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, setPersonState, World } from '../../src/sandbox/world/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, SEAL_KEY, terminal } from './terminal.ts';

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';
const ROSTER = [
  'program,mentorship,role,email,name,calendar,starts_on,aliases',
  'Oak,ada-ben,mentor,ada@oak.example,Ada Oak,google,2026-01-05,ada.o@oak.example',
  'Oak,ada-ben,mentee,ben@oak.example,Ben Oak,microsoft,2026-01-05,',
].join('\n');

let world: World;
let google: GoogleSandbox;
let microsoft: Awaited<ReturnType<typeof startMicrosoftSandbox>>;
let faults: Faults;
let sink: MailSink;
let database: TestDatabase;
let files: ReturnType<typeof folder>;
let env: Record<string, string>;
let shell: ReturnType<typeof terminal>;
beforeEach(async () => {
  world = new World({ seed: 5, start: Date.now() });
  world.addPerson({ name: 'Ada Oak', address: 'ada@oak.example', aliases: ['ada.o@oak.example'] });
  world.addPerson({ name: 'Ben Oak', address: 'ben@oak.example', provider: 'microsoft' });
  faults = createFaults({ now: () => world.now() });
  [google, microsoft, sink, database] = await Promise.all([
    startGoogleSandbox(world),
    startMicrosoftSandbox(world, { faults }),
    startMailSink(),
    createTestDatabase(),
  ]);
  files = folder();
  env = {
    DATABASE_URL: database.url,
    CADENCED_CONFIG: files.write('c.yaml', CONFIG),
    CADENCED_SEAL_KEYS: SEAL_KEY,
    CADENCED_SMTP_URL: sink.smtpUrl,
    CADENCED_MAIL_FROM: 'Mentoring <mentoring@oak.example>',
    CADENCED_GOOGLE_KEY_FILE: files.write('key.json', JSON.stringify(google.serviceAccountKey)),
    CADENCED_GOOGLE_API_URL: google.url,
    CADENCED_GOOGLE_TOKEN_URL: google.tokenUrl,
    CADENCED_MICROSOFT_TENANT: microsoft.tenant,
    CADENCED_MICROSOFT_CLIENT_ID: microsoft.clientId,
    CADENCED_MICROSOFT_CLIENT_SECRET: microsoft.clientSecret,
    CADENCED_MICROSOFT_GRAPH_URL: microsoft.graphUrl,
    CADENCED_MICROSOFT_TOKEN_URL: microsoft.tokenUrl,
  };
  shell = terminal(env);
  const { code, err } = await shell.run('import', files.write('roster.csv', ROSTER));
  expect([code, err]).toEqual([0, []]);
});
afterEach(async () => {
  await Promise.all([google.close(), microsoft.close(), sink.close()]);
  await database.drop();
  files[Symbol.dispose]();
});

function tomorrow(): string {
  return new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
}

describe('cadenced sync', () => {
  it('reads every calendar and finds the session, then nothing new', async () => {
    createMeeting(world, {
      organizer: 'ada@oak.example',
      guests: ['ben@oak.example'],
      title: 'Catch-up #mentoring',
      start: `${tomorrow()}T10:00`,
    });
    const first = await shell.run('sync');
    expect([first.code, first.err, first.out.toSorted()]).toEqual([
      0,
      [],
      [
        expect.stringMatching(/^ok {4}ada@oak\.example \(google\): read in full; /),
        expect.stringMatching(/^ok {4}ben@oak\.example \(microsoft\): read in full; /),
      ],
    ]);
    expect(first.out.join('\n')).toContain('1 session');
    const { sessions } = JSON.parse((await shell.run('status', '--json')).out[0] ?? '') as {
      sessions: object;
    };
    expect(sessions).toEqual({ scheduled: 1 });

    const again = await shell.run('sync', '--calendar', 'ada.o@oak.example');
    expect(again).toEqual({
      code: 0,
      out: ['ok    ada@oak.example (google): read the changes; nothing new'],
      err: [],
    });
    const full = await shell.run('sync', '--calendar', 'ada@oak.example', '--full');
    expect(full.out).toEqual(['ok    ada@oak.example (google): read in full; nothing new']);
  });

  it('fails when one calendar cannot be read, and reads the others all the same', async () => {
    setPersonState(world, { person: 'ben@oak.example', state: 'forbidden' });
    const { code, out, err } = await shell.run('sync');
    expect(code).toBe(1);
    expect(out.find((line) => line.includes('ada@'))).toMatch(/^ok /);
    expect(out.find((line) => line.includes('ben@'))).toMatch(
      /^FAIL {2}ben@oak\.example \(microsoft\): \w+ \(/,
    );
    expect(err.join('\n')).toContain('1 of 2 could not be read completely');
  });

  it('stops at a signal and counts what it did not read', async () => {
    faults.add({ mailbox: 'ben@oak.example', fault: { kind: 'stall', where: 'headers' } });
    const interrupted = terminal(env, (line, signals) => {
      if (line.includes('ada@')) signals.emit('SIGINT', 'SIGINT');
    });
    const { code, out, err } = await interrupted.run('sync');
    expect([code, out[1]]).toEqual([1, 'FAIL  ben@oak.example (microsoft): stopped before it was read']);
    expect(err[0]).toBe('Stopping. A second signal ends at once.');
  });

  it('knows no other calendar', async () => {
    const { code, err } = await shell.run('sync', '--calendar', 'adda@oak.example');
    expect([code, err.join()]).toEqual([1, expect.stringContaining('did you mean ada@oak.example?')]);
  });

  it('needs access to calendars', async () => {
    const { code, err } = await terminal({ DATABASE_URL: database.url }).run('sync');
    expect([code, err.join()]).toEqual([2, expect.stringContaining('CADENCED_GOOGLE_KEY_FILE')]);
  });
});

describe('cadenced doctor', () => {
  it('finds nothing to mend where all is well, and shows no secret', async () => {
    const { code, out, err } = await shell.run('doctor');
    const text = [...out, ...err].join('\n');
    expect(out.filter((line) => line.startsWith('FAIL'))).toEqual([]);
    expect(code).toBe(0);
    expect(text).toMatch(/^ok {4}mail - the relay takes mail/m);
    expect(text).toMatch(/^ok {4}ada@oak\.example, google calendar/m);
    expect(text).toMatch(/^ok {4}ben@oak\.example, microsoft calendar/m);
    for (const secret of [
      SEAL_KEY,
      microsoft.clientSecret,
      google.serviceAccountKey.private_key.slice(40, 80),
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  it('fails when a mailbox can be read that must not be, and is content when it is refused', async () => {
    world.addPerson({ name: 'Ceo', address: 'ceo@oak.example', provider: 'microsoft' });
    const probing = terminal({ ...env, CADENCED_MICROSOFT_NEGATIVE_PROBE: 'ceo@oak.example' });
    const { code, out } = await probing.run('doctor');
    expect(code).toBe(1);
    expect(out.find((line) => line.includes('microsoft restriction'))).toMatch(/^FAIL/);
    setPersonState(world, { person: 'ceo@oak.example', state: 'forbidden' });
    const refused = await probing.run('doctor');
    expect(refused.code).toBe(0);
    expect(refused.out.find((line) => line.includes('microsoft restriction'))).toMatch(/^ok/);
  });

  it('tells a calendar that cannot be read, a relay that is away, and evidence that may not be read', async () => {
    setPersonState(world, { person: 'ben@oak.example', state: 'forbidden' });
    google.grantedScopes.delete('https://www.googleapis.com/auth/meetings.space.readonly');
    const { code, out } = await terminal({ ...env, CADENCED_SMTP_URL: 'smtp://127.0.0.1:1' }).run('doctor');
    expect(code).toBe(1);
    const found = (start: string) => out.find((line) => line.startsWith(start));
    expect(found('FAIL  mail')).toContain('-> ');
    expect(found('FAIL  ben@oak.example, microsoft calendar')).toContain('Calendars.Read');
    expect(found('warn  ada@oak.example, google meet records')).toContain('meetings.space.readonly');
  });
});
