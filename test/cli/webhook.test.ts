import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { type Receiver, secretFromSeed, startReceiver } from '../../src/sandbox/receiver/receiver.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { SEAL_KEY, terminal } from './terminal.ts';

let database: TestDatabase;
let pool: Pool;
let receiver: Receiver;
let shell: ReturnType<typeof terminal>;
beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'test', log: silentLog() });
  receiver = await startReceiver({ secret: secretFromSeed('nobody') });
  shell = terminal({
    DATABASE_URL: database.url,
    CADENCED_SEAL_KEYS: SEAL_KEY,
    CADENCED_WEBHOOK_ALLOW: '127.0.0.0/8',
  });
});
afterEach(async () => {
  await receiver.close();
  await pool.end();
  await database.drop();
});

/** Adds the receiver and has it believe the printed secret. */
async function add(...options: string[]): Promise<string> {
  const { code, out } = await shell.run('webhook', 'add', receiver.url, '--name', 'crm', ...options);
  expect(code).toBe(0);
  const secret = /^secret {2}(whsec_\S+)$/m.exec(out.join('\n'))?.[1] ?? '';
  receiver.trust(secret);
  return secret;
}

async function happen(...types: string[]): Promise<string[]> {
  const { rows } = await pool.query<{ event_id: string }>(
    `with appended as (
       insert into cadenced.outbound_event (event_id, fact_key, type, subject, sequence, occurred_at, payload)
       select 'evt_' || coalesce((select max(position) from cadenced.outbound_event), 0) + ordinality,
              gen_random_uuid()::text, type, gen_random_uuid()::text, 1, cadenced.now(), '{}'
         from unnest($1::text[]) with ordinality as given (type, ordinality)
       returning event_id, type), given as (
       insert into cadenced.webhook_delivery (event_id, endpoint_id, next_attempt_at)
       select event_id, endpoint_id, now() from appended join cadenced.webhook_endpoint on state = 'active'
          and (types = '{}' or type = any (types)))
     select event_id from appended order by event_id`,
    [types],
  );
  return rows.map((row) => row.event_id);
}

async function deliveries(): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ event_id: string; status: string }>(
    'select event_id, status from cadenced.webhook_delivery order by event_id',
  );
  return Object.fromEntries(rows.map((row) => [row.event_id, row.status]));
}

describe('cadenced webhook', () => {
  it('adds a receiver, prints its secret once, and stores it sealed', async () => {
    const secret = await add('--types', 'session.judged, cadence.violated', '--cloudevents');
    const { rows } = await pool.query('select * from cadenced.webhook_endpoint');
    expect(rows[0]).toMatchObject({
      name: 'crm',
      url: receiver.url,
      types: ['session.judged', 'cadence.violated'],
      content_type: 'application/cloudevents+json',
      state: 'active',
    });
    expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length));
    const listed = await shell.run('webhook', 'list');
    expect(listed.out[0]).toBe(`crm  active  ${receiver.url}`);
    expect(listed.out.join('\n')).not.toContain('whsec_');
    const taken = await shell.run('webhook', 'add', receiver.url, '--name', 'crm');
    expect([taken.code, taken.err.join()]).toEqual([1, expect.stringContaining('already')]);
  });

  it('names a receiver by its host, and the next one there with a number', async () => {
    const names: (string | undefined)[] = [];
    for (let time = 0; time < 2; time++) {
      names.push((await shell.run('webhook', 'add', 'https://crm.example/in')).out[0]);
    }
    expect(names).toEqual(['added   crm.example', 'added   crm.example-2']);
  });

  it.each([
    ['ftp://crm.example/in', 'https://'],
    ['crm.example/in', 'https://'],
    ['http://crm.example/in', 'https://'],
    ['https://user:hunter2@crm.example/in', 'no password'],
    ['https://crm.example/in#here', 'fragment'],
  ])('refuses %s', async (url, why) => {
    const { code, out, err } = await shell.run('webhook', 'add', url);
    expect([code, out]).toEqual([2, []]);
    expect(err.join()).toContain(why);
    expect(err.join()).not.toContain('hunter2');
  });

  it('reaches no real receiver while the clock is moved', async () => {
    const moved = terminal({
      DATABASE_URL: database.url,
      CADENCED_SEAL_KEYS: SEAL_KEY,
      CADENCED_CLOCK: '+P3D',
    });
    const refused = await moved.run('webhook', 'add', 'https://crm.example/in');
    expect([refused.code, refused.err.join()]).toEqual([2, expect.stringContaining('CADENCED_CLOCK')]);
    const local = await moved.run('webhook', 'add', receiver.url);
    expect(local.code).toBe(0);
    expect(local.err.join()).toContain('CADENCED_WEBHOOK_ALLOW does not list it');
  });

  it('needs a key to seal with', async () => {
    const { code, err } = await terminal({ DATABASE_URL: database.url }).run('webhook', 'add', receiver.url);
    expect([code, err.join()]).toEqual([2, expect.stringContaining('CADENCED_SEAL_KEYS')]);
  });

  it('sends a test that verifies, and tells what a refusal means', async () => {
    await add();
    const { code, out } = await shell.run('webhook', 'test', 'crm');
    expect([code, out[0]]).toEqual([0, expect.stringMatching(/^crm accepted it with HTTP 204/)]);
    expect(receiver.received()[0]).toMatchObject({ type: 'webhook.test', verified: true });

    receiver.fail({ answer: 403, times: 1 });
    const refused = await shell.run('webhook', 'test', 'crm');
    expect([refused.code, refused.err.join()]).toEqual([
      1,
      expect.stringContaining('HTTP 403. The receiver may hold'),
    ]);
    const closed = terminal({ DATABASE_URL: database.url, CADENCED_SEAL_KEYS: SEAL_KEY });
    expect((await closed.run('webhook', 'test', 'crm')).err.join()).toContain('CADENCED_WEBHOOK_ALLOW');
    const otherKey = terminal({
      DATABASE_URL: database.url,
      CADENCED_SEAL_KEYS: Buffer.alloc(32, 9).toString('base64'),
    });
    const sealed = await otherKey.run('webhook', 'test', 'crm');
    expect([sealed.code, sealed.err.join()]).toEqual([1, expect.stringContaining('CADENCED_SEAL_KEYS')]);
  });

  it('knows no other receiver, and says which one was meant', async () => {
    await add();
    const { code, err } = await shell.run('webhook', 'test', 'crn');
    expect([code, err.join()]).toEqual([1, 'There is no webhook called crn; did you mean crm?']);
  });

  it('rotates: both secrets sign until the rotation is finished', async () => {
    const old = await add();
    const { out } = await shell.run('webhook', 'rotate', 'crm');
    const fresh = /(whsec_\S+)/.exec(out.join())?.[1] ?? '';
    expect(fresh).not.toBe(old);
    await shell.run('webhook', 'test', 'crm');
    expect(receiver.received().at(-1)).toMatchObject({ verified: true });
    expect(receiver.received().at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(2);

    expect((await shell.run('webhook', 'rotate', 'crm', '--finish')).code).toBe(0);
    expect((await shell.run('webhook', 'test', 'crm')).err.join()).toContain('HTTP 401');
    receiver.trust(fresh);
    expect((await shell.run('webhook', 'test', 'crm')).code).toBe(0);
  });

  it('loses nothing over a pause', async () => {
    await happen('session.judged');
    await add('--types', 'session.judged');
    await happen('session.judged');
    await shell.run('webhook', 'pause', 'crm');
    await happen('session.judged', 'session.scheduled');
    expect(await deliveries()).toEqual({ evt_2: 'pending' });
    const { out } = await shell.run('webhook', 'resume', 'crm');
    expect(out).toEqual(['crm is active; 1 event of the pause queued.']);
    expect(await deliveries()).toEqual({ evt_2: 'pending', evt_3: 'pending' });
  });

  it('loses nothing over a pause that began before the first event', async () => {
    await happen('session.judged');
    await add();
    await shell.run('webhook', 'pause', 'crm');
    await happen('session.judged');
    expect((await shell.run('webhook', 'resume', 'crm')).out.join()).toContain('1 event of the pause');
    expect(await deliveries()).toEqual({ evt_2: 'pending' });
  });

  it('gives up what waits when it is disabled, and replays it when asked', async () => {
    await happen('session.judged');
    await add();
    await happen('session.judged', 'session.scheduled');
    await pool.query(
      `update cadenced.webhook_delivery set status = 'delivered', next_attempt_at = null where event_id = 'evt_2'`,
    );
    expect((await shell.run('webhook', 'disable', 'crm')).out).toEqual([
      'crm is disabled; 1 event given up.',
    ]);
    expect(await deliveries()).toEqual({ evt_2: 'delivered', evt_3: 'dead' });

    const dead = await shell.run('webhook', 'replay', 'crm');
    expect(dead.out).toEqual(['1 event queued for crm.', expect.stringContaining('webhook resume crm')]);
    expect(await deliveries()).toEqual({ evt_2: 'delivered', evt_3: 'pending' });
    expect((await shell.run('webhook', 'resume', 'crm')).out.join()).toContain('active; 0 events');
    expect((await shell.run('webhook', 'replay', 'crm', '--event', 'evt_2')).out).toEqual([
      '1 event queued for crm.',
    ]);
    expect((await shell.run('webhook', 'replay', 'crm', '--event', 'evt_99')).code).toBe(1);
    expect((await shell.run('webhook', 'replay', 'crm', '--since', '2020-01-01')).out).toEqual([
      '3 events queued for crm.',
    ]);
    expect(await deliveries()).toEqual({ evt_1: 'pending', evt_2: 'pending', evt_3: 'pending' });
  });
});
