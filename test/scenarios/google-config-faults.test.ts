import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { ADA, type GoogleStage, openGoogleStage } from './google-stage.ts';

/** What a wrong setting or a missing grant looks like to whoever asks the database, and how it ends. */
let stage: GoogleStage;
afterEach(() => stage.close());

const health = () =>
  stage.rows(sql<{ state: string; reason: string | null; calendars: number }>`
    select state, reason, count(*)::int as calendars from mentoring.sync_health group by 1, 2 order by 1, 2`);
const waits = async () => {
  const rows = await stage.rows(sql<{ address: string; at: Date; left: number; kept: boolean }>`
    select address, next_poll_at as at, extract(epoch from next_poll_at - now())::float8 as left,
           config_fault is not null as kept
      from cadenced.calendar order by address`);
  return new Map(rows.map(({ address, ...wait }) => [address, wait]));
};
/** As if it had gone on for hours. */
const failedOften = () => sql`update cadenced.calendar set failures = 12`.execute(stage.workshop.db);
const due = async (address: string) => {
  await sql`update cadenced.calendar set next_poll_at = now() where address = ${address}`.execute(
    stage.workshop.db,
  );
  await stage.settled();
};

test('14. A missing delegation is the reason of every calendar, is asked for ever more rarely, and is over for all when one was read', async () => {
  stage = await openGoogleStage({ pairs: 19 });
  const granted = [...stage.google.grantedScopes];
  stage.google.grantedScopes.clear();
  stage.google.revokeAccessTokens();
  await stage.pollDue();
  await failedOften();
  await stage.pollDue();
  expect(await health()).toEqual([{ state: 'active', reason: 'delegation_missing', calendars: 40 }]);
  // Forty calendars, of which each asks every thirty minutes.
  for (const { left } of (await waits()).values()) {
    expect(left).toBeGreaterThan(0.74 * 1_800);
    expect(left).toBeLessThan(1.26 * 1_800);
  }

  for (const scope of granted) stage.google.grantedScopes.add(scope);
  await due(ADA);
  expect(await health()).toEqual([
    { state: 'active', reason: 'delegation_missing', calendars: 39 },
    { state: 'active', reason: null, calendars: 1 },
  ]);
  const woken = await waits();
  for (const [address, { left }] of woken) if (address !== ADA) expect(left).toBeLessThan(61);
  const spread = [...woken].filter(([address]) => address !== ADA).map(([, { left }]) => left);
  expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(20);
  // The next that is read wakes nobody again: whoever's turn has not come yet waits as long as before.
  await due('mentor1@school.example');
  const waiting = [...(await waits())].filter(([, { kept }]) => kept);
  expect(waiting.length).toBeGreaterThan(10);
  for (const [address, { at }] of waiting) expect(at).toEqual(woken.get(address)?.at);
  await stage.pollDue();
  expect(await health()).toEqual([{ state: 'active', reason: null, calendars: 40 }]);
  expect(await stage.rows(sql`select 1 from mentoring.outbound_event where type like 'calendar.%'`)).toEqual(
    [],
  );
});

test('9. A fault of one calendar alone is asked for once a minute, holds nobody else up, and other faults do not hide it', async () => {
  stage = await openGoogleStage();
  await stage.pollDue();
  const refuse = (status: number, reason: string) =>
    stage.faults.add({ mailbox: ADA, path: '/primary/events', fault: { kind: 'status', status, reason } });
  const rule = refuse(403, 'insufficientPermissions');
  await stage.pollDue();
  await failedOften();
  await stage.pollDue();
  const mixed = [
    { state: 'active', reason: 'scope_missing', calendars: 1 },
    { state: 'active', reason: null, calendars: 1 },
  ];
  expect(await health()).toEqual(mixed);
  expect((await waits()).get(ADA)?.left).toBeLessThan(76);
  stage.faults.remove(rule);
  // A fault that passes says nothing about the scope.
  const passing = refuse(501, 'notImplemented');
  await stage.pollDue();
  expect(await health()).toEqual(mixed);
  stage.faults.remove(passing);
  // A refusal says that the provider could be asked.
  const refused = refuse(403, 'forbidden');
  await stage.pollDue();
  expect(await health()).toEqual([
    { state: 'active', reason: null, calendars: 1 },
    { state: 'denied', reason: 'forbidden', calendars: 1 },
  ]);
  stage.faults.remove(refused);
  await sql`update cadenced.calendar set next_probe_at = now()`.execute(stage.workshop.db);
  await stage.pollDue();
  expect(await health()).toEqual([{ state: 'active', reason: null, calendars: 2 }]);
});
