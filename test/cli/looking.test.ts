import { randomBytes } from 'node:crypto';
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
  'Oak,ada-ben,mentee,ben@oak.example,Ben Oak,microsoft,2026-01-05',
  'Oak,cyd-dee,mentor,cyd@oak.example,Cyd Oak,google,2026-01-05',
  'Oak,cyd-dee,mentee,dee@oak.example,Dee Oak,google,2026-01-05',
].join('\n');

/** Sessions in every stage, mails and webhooks that left and that did not, an alert, three states of calendars. */
const FACTS = `
  with meeting as (
    insert into cadenced.occurrence (lineage, starts_at, ends_at, status, cancelled_at, first_seen_at)
    select 'meeting-' || number, cadenced.now() + ahead, cadenced.now() + ahead + interval '1 hour',
           case when number = 4 then 'cancelled' else 'scheduled' end,
           case when number = 4 then cadenced.now() end, cadenced.now()
      from (values (1, interval '-3 days'), (2, interval '-2 days'), (3, interval '-2 hours'),
                   (4, interval '1 day'), (5, interval '2 days'), (6, interval '-60 days')) as made (number, ahead)
    returning occurrence_id, lineage, starts_at, ends_at, status, cancelled_at)
  insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, status, cancelled_at, cancel_reason,
                                first_seen_at, outcome, outcome_reason, settled_at)
  select occurrence_id, (select min(mentorship_id) from cadenced.mentorship), starts_at, ends_at, status, cancelled_at,
         case when cancelled_at is not null then 'deleted' end, cadenced.now(),
         case lineage when 'meeting-1' then 'held' when 'meeting-2' then 'unknown' when 'meeting-6' then 'held' end,
         case lineage when 'meeting-2' then 'no_record' end,
         case when lineage in ('meeting-1', 'meeting-2', 'meeting-6') then cadenced.now() end
    from meeting;
  insert into cadenced.alert (mentorship_id, kind, opened_at, resolved_at, reasons, baselined)
  select mentorship_id, 'violated', cadenced.now(), case when key = 'cyd-dee' then cadenced.now() end, '{overdue}', false
    from cadenced.mentorship;
  insert into cadenced.mail (fact_key, kind, to_address, due_at, status, sent_at, reason)
  values ('one', 'reminder', 'ada@oak.example', cadenced.now(), 'sent', cadenced.now(), null),
         ('two', 'reminder', 'ben@oak.example', cadenced.now(), 'sent', cadenced.now(), null),
         ('three', 'nudge', 'dee@oak.example', cadenced.now(), 'refused', null, 'recipient_refused'),
         ('four', 'nudge', 'cyd@oak.example', cadenced.now(), 'queued', null, null);
  insert into cadenced.outbound_event (event_id, fact_key, type, subject, sequence, occurred_at, payload)
  values ('evt_1', 'f1', 'session.judged', 'session/1', 1, cadenced.now(), '{}'),
         ('evt_2', 'f2', 'session.judged', 'session/2', 1, cadenced.now(), '{}'),
         ('evt_3', 'f3', 'session.scheduled', 'session/3', 1, cadenced.now(), '{}');
  insert into cadenced.webhook_endpoint (name, url, sealed_secrets, state, state_reason)
  values ('crm', 'https://crm.example/in', '{sealed}', 'disabled', 'answered_410');
  insert into cadenced.webhook_delivery (event_id, endpoint_id, status, attempts, last_status, last_error)
  select event_id, endpoint_id, case event_id when 'evt_3' then 'dead' else 'delivered' end, 1,
         case event_id when 'evt_3' then 410 else 204 end, case event_id when 'evt_3' then 'http_410' end
    from cadenced.outbound_event, cadenced.webhook_endpoint;
  update cadenced.calendar set last_complete_pass_at = cadenced.now();
  update cadenced.calendar set config_fault = 'delegation_missing' where address = 'ada@oak.example';
  update cadenced.calendar set state = 'denied', state_reason = 'mailbox_denied' where address = 'ben@oak.example';
  update cadenced.calendar
     set state = 'parked', state_reason = 'mass_deletion',
         parked = jsonb_build_object('since', extract(epoch from now()) * 1000, 'lineages', '["a", "b", "c"]'::jsonb)
   where address = 'dee@oak.example';`;

let database: TestDatabase;
let pool: Pool;
let files: ReturnType<typeof folder>;
let shell: ReturnType<typeof terminal>;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'test', log: silentLog() });
  files = folder();
  shell = terminal({ DATABASE_URL: database.url, CADENCED_CONFIG: files.write('c.yaml', CONFIG) });
  const { code, err } = await shell.run('import', files.write('roster.csv', ROSTER));
  expect([code, err]).toEqual([0, []]);
  await pool.query(FACTS);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  files[Symbol.dispose]();
});

describe('cadenced status', () => {
  it('gives programs one object with every count', async () => {
    const { code, out, err } = await shell.run('status', '--json');
    expect([code, err, out.length]).toEqual([0, [], 1]);
    expect(JSON.parse(out[0] ?? '')).toEqual({
      sessions: { held: 2, unknown: 1, awaiting: 1, cancelled: 1, scheduled: 1 },
      mails: { reminder: 2 },
      webhooks: { delivered: { 'session.judged': 2 } },
      alerts: { violated: 1 },
      calendars: { active: 2, denied: 1, parked: 1 },
      errors: [
        '1 calendar at google cannot be read (delegation_missing): cadenced doctor says how to mend it',
        '1 mail of kind nudge refused (recipient_refused)',
        '1 webhook to crm given up (http_410)',
        'webhook crm is disabled (answered_410)',
      ],
    });
  });

  it('tells people the same, with reasons and with what to do', async () => {
    const { code, out } = await shell.run('status');
    const text = out.join('\n');
    expect(code).toBe(0);
    expect(text).toMatch(/^database +PostgreSQL \d+/m);
    expect(text).not.toContain(new URL(database.url).password || 'no password to hide');
    expect(text).toMatch(/^programs +Oak: 2 mentorships, 4 people$/m);
    expect(text).toMatch(/! ben@oak\.example \(microsoft\) denied since .*: mailbox_denied/);
    expect(text).toContain('3 meetings held back (cadenced approve --calendar dee@oak.example)');
    expect(text).toMatch(/^sessions .*1 held.*\(last 30 days\)$/m);
    expect(text).toMatch(/^alerts +1 violated \(open\)$/m);
    expect(text).toMatch(/^mails +2 reminder sent; 1 waiting$/m);
    expect(text).toContain('! 1 webhook to crm given up (http_410)');
    expect(text).toContain('psql "$DATABASE_URL"');
  });

  it('changes nothing: neither an unprepared database nor the rules of another configuration', async () => {
    await using empty = await createTestDatabase({ empty: true });
    const early = await terminal({ DATABASE_URL: empty.url }).run('status');
    expect([early.code, early.err.join()]).toEqual([1, expect.stringContaining('run cadenced migrate')]);

    const other = CONFIG.replace('Oak', 'Elm');
    await terminal({ DATABASE_URL: database.url, CADENCED_CONFIG: files.write('other.yaml', other) }).run(
      'status',
    );
    expect((await pool.query('select name from cadenced.program')).rows).toEqual([{ name: 'Oak' }]);

    const prepared = await terminal({ DATABASE_URL: empty.url }).run('migrate');
    expect(prepared.code).toBe(0);
    expect(prepared.out[0]).toMatch(/^applied 0001/);
    expect((await terminal({ DATABASE_URL: empty.url }).run('status', '--json')).out).toEqual([
      '{"sessions":{},"mails":{},"webhooks":{"delivered":{}},"alerts":{},"calendars":{},"errors":[]}',
    ]);
  });
});

describe('a database user without rights', () => {
  const role = `cadenced_test_${randomBytes(4).toString('hex')}`;
  afterAll(async () => {
    await pool.query(`drop role if exists ${role}`);
  });

  it('is told which one to use', async () => {
    await pool.query(`create role ${role} login password 'hunter2'`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'hunter2';
    const stranger = terminal({ DATABASE_URL: url.href });
    const looked = await stranger.run('status');
    expect([looked.code, looked.err]).toEqual([
      1,
      [expect.stringContaining('the user that owns the schemas')],
    ]);
    const migrated = await stranger.run('migrate');
    expect([migrated.code, migrated.err]).toEqual([1, [expect.stringContaining('lacks a right')]]);
  });
});

describe('cadenced doctor', () => {
  it('names what is wrong, how to mend it, and fails', async () => {
    const { code, out } = await shell.run('doctor');
    const found = (verdict: string, what: string) =>
      out.find((line) => line.startsWith(verdict.padEnd(4)) && line.includes(what));
    expect(code).toBe(1);
    expect(found('ok', 'Node')).toBeDefined();
    expect(found('ok', 'schema')).toBeDefined();
    expect(found('FAIL', 'CADENCED_SEAL_KEYS')).toContain('openssl rand');
    expect(found('FAIL', 'seal keys')).toContain('->');
    expect(found('warn', 'mail')).toContain('CADENCED_SMTP_URL');
    expect(found('FAIL', 'google')).toContain('CADENCED_GOOGLE_KEY_FILE');
    expect(found('FAIL', 'webhook crm - no key')).toContain('cadenced webhook rotate crm');
    expect(found('FAIL', 'webhook crm - disabled')).toContain('cadenced webhook resume crm');
    expect(found('FAIL', 'ben@oak.example (microsoft)')).toContain('mailbox_denied');
    expect(found('warn', 'dee@oak.example')).toContain('cadenced approve --calendar dee@oak.example');
  });

  it('says what a database of another version lacks, and goes on with the rest', async () => {
    await using empty = await createTestDatabase({ empty: true });
    const { code, out } = await terminal({ DATABASE_URL: empty.url }).run('doctor');
    expect(code).toBe(1);
    expect(out.find((line) => line.startsWith('FAIL  schema'))).toContain('cadenced migrate');
    expect(out.find((line) => line.startsWith('warn  mail'))).toBeDefined();
  });

  it('tells a database that is away, without its password', async () => {
    const away = terminal({ DATABASE_URL: 'postgres://cadenced:hunter2@127.0.0.1:1/cadenced' });
    const { code, out, err } = await away.run('doctor');
    const text = [...out, ...err].join('\n');
    expect(code).toBe(1);
    expect(text).toContain('FAIL  database - PostgreSQL does not answer (ECONNREFUSED)');
    expect(text).not.toContain('hunter2');
  });
});

describe('cadenced approve', () => {
  it('knows no other calendar, and says which one was meant', async () => {
    const { code, err } = await shell.run('approve', '--calendar', 'de@oak.example');
    expect(code).toBe(1);
    expect(err.join()).toContain('did you mean dee@oak.example?');
  });

  it('leaves alone what holds nothing back', async () => {
    expect(await shell.run('approve', '--calendar', 'ada@oak.example')).toMatchObject({
      code: 0,
      out: ['Nothing is held back.'],
    });
  });

  it('releases the brake for an hour and has the calendar compared at once', async () => {
    const { code, out } = await shell.run('approve', '--calendar', 'Dee@Oak.example');
    expect(code).toBe(0);
    expect(out[0]).toBe('released dee@oak.example (google): 3 meetings');
    const { rows } = await pool.query(`
      select address, reconcile_wanted, next_poll_at <= now() as due,
             approved_until between now() + interval '59 minutes' and now() + interval '1 hour' as for_an_hour
        from cadenced.calendar where approved_until is not null`);
    expect(rows).toEqual([
      { address: 'dee@oak.example', reconcile_wanted: true, due: true, for_an_hour: true },
    ]);
  });
});
