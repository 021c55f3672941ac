import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, expect, test, vi } from 'vitest';
import { cancelMeeting, createMeeting, moveMeeting } from '../../src/sandbox/world/index.ts';
import { type MicrosoftDaemon, openMicrosoftDaemon } from './microsoft-daemon.ts';
import { ADA, BO, HOUR } from './microsoft-stage.ts';

/** Cases of Microsoft's that only the whole daemon shows: killed, flooded, without a secret, under a burst of work. */

let run: MicrosoftDaemon;
afterEach(() => run.close());

const single = (start: string) =>
  createMeeting(run.world, { organizer: ADA, guests: [BO], title: 'Session #mentoring', start });

const metrics = async () => (await fetch(`${run.daemon.http.metricsUrl}/metrics`)).text();

test('13 410 for the cursor: the metrics count one full pass more for each calendar, by its reason', async () => {
  run = await openMicrosoftDaemon();
  single('2026-03-20T14:00');
  await run.daemon.start();
  await run.daemon.dispatcher.settled();
  const counted = async () => {
    const lines = (await metrics()).matchAll(
      /^cadenced_full_passes_total\{provider="microsoft",reason="(\w+)"\} (\d+)$/gm,
    );
    return Object.fromEntries([...lines].map(([, reason = '', times]) => [reason, Number(times)]));
  };
  expect(await counted()).toEqual({ no_cursor: 2 });
  run.world.expireTokens();
  await run.pollDue();
  await run.pollDue();
  expect(await counted()).toEqual({ no_cursor: 2, cursor_lost: 2 });
});

test('38 zones: the metrics count every occurrence that came without a usable one', async () => {
  run = await openMicrosoftDaemon();
  run.world.person(BO).foreignUid = 'wrapped';
  run.world.addPerson({ name: 'Dana', address: 'dana@north.example', provider: 'google' });
  createMeeting(run.world, {
    organizer: 'dana@north.example',
    guests: [ADA, BO],
    title: 'Session #mentoring',
    start: '2026-03-18T07:30',
    rule: 'FREQ=DAILY;COUNT=4',
  });
  await run.daemon.start();
  await run.daemon.dispatcher.settled();
  expect(await metrics()).toContain('cadenced_zone_fallbacks_total{provider="microsoft"} 4\n');
});

test('16 a process that is killed with pages on the stage: nobody sees them, and the next one goes on from the last cursor', async () => {
  run = await openMicrosoftDaemon({ habits: { pageSize: 100, repeatRows: false, emptyFirstPage: false } });
  const moved = single('2026-03-20T14:00');
  expect(await run.command('sync', '--calendar', ADA).ended).toBe(0);
  const cursorOf = () =>
    run.rows(sql<{ cursor: string }>`select cursor from cadenced.calendar where address = ${ADA}`);
  const passesOnStage = () =>
    run.rows(sql<{ rows: number }>`
      select count(*)::int as rows from cadenced.staged_copy group by calendar_id, pass_id`);
  const before = await cursorOf();
  // Seven pages: five fill the stage, the sixth is in hand, and the seventh is asked for and never comes.
  const [first, ...others] = Array.from({ length: 640 }, (_, n) =>
    single(new Date(Date.UTC(2026, 2, 21) + n * 4 * HOUR).toISOString().slice(0, 16)),
  );
  moveMeeting(run.world, { meeting: moved.id, start: '2026-03-20T16:00' });
  run.faults.add({ path: 'skiptoken', skip: 5, times: 1, fault: { kind: 'stall', where: 'headers' } });
  const { pid, ended } = run.command('sync', '--calendar', ADA);
  await vi.waitFor(
    async () => {
      expect(run.asked(/skiptoken/)).toBe(6);
      expect(await passesOnStage()).toEqual([{ rows: 500 }]);
    },
    { timeout: 30_000, interval: 20 },
  );
  process.kill(pid, 'SIGKILL');
  expect(await ended).toBeNull();
  expect(await run.booked()).toEqual(['2026-03-20T13:00']);
  expect(await run.rows(sql`select count(*)::int as copies from cadenced.event_copy`)).toEqual([
    { copies: 1 },
  ]);
  expect(await cursorOf()).toEqual(before);

  // What stands on the stage is no longer true: whoever took it up would tell of a session that nobody has.
  cancelMeeting(run.world, { meeting: first?.id ?? '' });
  expect(await run.command('sync', '--calendar', ADA).ended).toBe(0);
  const booked = await run.booked();
  expect(booked).toHaveLength(1 + others.length);
  expect(booked.slice(0, 2)).toEqual(['2026-03-20T15:00', '2026-03-21T03:00']);
  expect(
    await run.rows(sql`select type, count(*)::int from cadenced.outbound_event group by type order by type`),
  ).toEqual([
    { type: 'session.rescheduled', count: 1 },
    { type: 'session.scheduled', count: 1 + others.length },
  ]);
  expect(run.asked(/delta\?.*startDateTime/)).toBe(1);
  // It lies there for a day, in case its process only slept, and goes with the next look at everything.
  expect(await passesOnStage()).toEqual([{ rows: 500 }]);
  await sql`update cadenced.staged_copy set staged_at = now() - interval '25 hours'`.execute(run.workshop.db);
  expect(await run.command('sync', '--calendar', ADA, '--full').ended).toBe(0);
  expect(await passesOnStage()).toEqual([]);
  expect(await run.booked()).toEqual(booked);
}, 90_000);

test('20 fifty times due and a burst of notifications: two requests at a time for a mailbox, four in all, and few passes', async () => {
  run = await openMicrosoftDaemon({
    push: true,
    habits: { latencyMs: 3, mailboxConcurrency: 2, pageSize: 1 },
  });
  for (let day = 12; day < 18; day += 1) {
    createMeeting(run.world, {
      organizer: ADA,
      guests: [BO],
      title: 'Session #mentoring',
      start: `2026-03-${day}T10:00`,
      rule: 'FREQ=WEEKLY;COUNT=5',
      conference: 'teams',
    });
  }
  await run.daemon.start();
  await run.daemon.dispatcher.settled();
  const [ada, bo] = [ADA, BO].map((address) =>
    run.sandbox.subscriptions.active().find(({ person }) => person === run.world.person(address).id),
  );
  if (!ada || !bo) throw new Error('both are watched');
  const item = ({ id, clientState }: typeof ada) => ({
    subscriptionId: id,
    clientState,
    changeType: 'updated',
  });
  await sql`update cadenced.calendar set full_pass_wanted = true, reconcile_wanted = true`.execute(
    run.workshop.db,
  );
  run.faults.log.clear();
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { status } = await run.sandbox.subscriptions.post(run.notifications, [
        item(ada),
        item(bo),
        item(ada),
      ]);
      expect(status).toBe(202);
      await sql`update cadenced.calendar set next_poll_at = now()`.execute(run.workshop.db);
      await run.daemon.dispatcher.dispatch();
    }),
  );
  await run.daemon.dispatcher.settled();
  expect(run.faults.log.maxInFlight(ADA)).toBe(2);
  expect(run.faults.log.maxInFlight(BO)).toBe(2);
  expect(run.faults.log.maxTogether('microsoft')).toBeLessThanOrEqual(4);
  expect(run.faults.log.entries().filter(({ status }) => status === 429)).toEqual([]);
  // A full round each, and for whatever came while it ran another pass; never one for each of the fifty.
  expect(run.asked(/deltatoken=|delta\?.*startDateTime/)).toBeLessThanOrEqual(2 * 8);
  expect(await run.booked()).toHaveLength(30);
}, 60_000);

test('24 the secret has expired: alive and ready, sight called lost, told once, Entra left alone, nothing forgotten', async () => {
  run = await openMicrosoftDaemon();
  single('2026-03-20T14:00');
  await run.daemon.start();
  await run.daemon.dispatcher.settled();
  const answers = async () =>
    Object.fromEntries(
      await Promise.all(
        ['healthz', 'readyz', 'freshness'].map(async (path) => [
          path,
          (await fetch(`${run.daemon.http.url}/${path}`)).status,
        ]),
      ),
    );
  expect(await answers()).toEqual({ healthz: 200, readyz: 200, freshness: 200 });
  const asked = run.asked(/oauth2/);
  run.sandbox.entra.expireSecret();
  run.sandbox.entra.revokeTokens();
  for (let poll = 0; poll < 12; poll += 1) {
    await run.advance(HOUR / 12);
    await run.pollDue();
  }
  // Each answer is remembered for a second.
  await vi.waitFor(
    async () => expect(await answers()).toEqual({ healthz: 200, readyz: 200, freshness: 503 }),
    { timeout: 5_000, interval: 200 },
  );
  expect(run.asked(/oauth2/)).toBe(asked + 1);
  const errors = run.logged.map((line) => JSON.parse(line) as { level: string; msg: string });
  expect(errors.filter(({ level }) => level === 'error').map(({ msg }) => msg)).toEqual([
    'entra gives this application no token: a person must act',
    'no calendar of a provider can be read',
  ]);
  expect(run.logged.join()).not.toContain(run.sandbox.clientSecret);
  expect(await run.booked()).toHaveLength(1);
  expect(
    await run.rows(sql`select from cadenced.outbound_event where type = 'calendar.disconnected'`),
  ).toEqual([]);
}, 60_000);

test('28 a flood is followed by exactly one round a mailbox, and by a second look that finds nothing', async () => {
  run = await openMicrosoftDaemon({ push: true });
  const meeting = single('2026-03-20T14:00');
  await run.daemon.start();
  await run.daemon.dispatcher.settled();
  const watched = run.sandbox.subscriptions.active();
  expect(watched).toHaveLength(2);
  const items = Array.from({ length: 500 }, (_, n) => {
    const { id, clientState } = watched[n % 2] ?? {};
    if (n % 5 === 0)
      return { subscriptionId: randomUUID(), clientState: randomUUID(), changeType: 'updated' };
    if (n % 5 === 1) return { subscriptionId: id, clientState: 'forged', changeType: 'updated' };
    return { subscriptionId: id, clientState, changeType: 'updated' };
  });
  // A pass that ended within this second would put the next one off to its end.
  await sql`update cadenced.calendar set push_taken_at = now() - interval '1 hour'`.execute(run.workshop.db);
  run.sandbox.habits.notificationLoss = 1;
  moveMeeting(run.world, { meeting: meeting.id, start: '2026-03-25T14:00' });
  const asked = run.asked(/deltatoken/);
  const { status, tookMs } = await run.sandbox.subscriptions.post(run.notifications, items);
  expect(status).toBe(202);
  expect(tookMs).toBeLessThan(500);
  await run.daemon.dispatcher.settled();
  expect(run.asked(/deltatoken/)).toBe(asked + 2);
  expect(await run.booked()).toEqual(['2026-03-25T13:00']);
  const again = await run.rows(sql<{ again: boolean }>`
    select look_again_at between now() and now() + interval '60 seconds' as again from cadenced.calendar`);
  expect(again).toEqual([{ again: true }, { again: true }]);
  await sql`update cadenced.calendar set look_again_at = now()`.execute(run.workshop.db);
  await run.daemon.dispatcher.settled();
  expect(run.asked(/deltatoken/)).toBe(asked + 4);
  expect(
    await run.rows(
      sql`select type from cadenced.outbound_event where type like 'session.%' order by position`,
    ),
  ).toEqual([{ type: 'session.scheduled' }, { type: 'session.rescheduled' }]);
}, 60_000);
