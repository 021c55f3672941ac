import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMeeting, setPersonState } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

let stage: GoogleStage;
afterEach(() => stage.close());

const book = (title = 'Talk #mentoring', start = '2026-09-15T10:00') =>
  createMeeting(stage.world, { organizer: ADA, guests: [BO], title, start, minutes: 60 });
const sessions = () =>
  stage.rows(sql<{ start: Date }>`select scheduled_start as start from mentoring.session order by 1`);
const channels = () =>
  stage.rows(
    sql<{ id: string; state: string; failure: string | null; closed: boolean; address: string }>`
      select channel_id as id, channel.state, failure, closed_at is not null as closed, address
        from cadenced.channel join cadenced.calendar using (calendar_id) order by requested_at, channel_id`,
  );
const push = () =>
  stage.rows(sql<{ calendar: string; push: string | null; push_reason: string | null }>`
    select calendar, push, push_reason from mentoring.sync_health order by calendar`);
/** Seconds until the next poll, at most and at least, of every calendar. */
const pollIn = async () => {
  const [row] = await stage.rows(sql<{ least: number; most: number }>`
    select min(extract(epoch from next_poll_at - now()))::float8 as least,
           max(extract(epoch from next_poll_at - now()))::float8 as most from cadenced.calendar`);
  return row ?? { least: 0, most: 0 };
};
/** As if the last poll had been a minute ago: a push that follows another within a second waits for its end. */
const atRest = () =>
  sql`update cadenced.calendar set push_taken_at = now() - interval '1 minute', next_poll_at = now() + interval '1 hour'`.execute(
    stage.workshop.db,
  );
const ofAda = () => {
  const person = stage.world.person(ADA).id;
  return stage.google.push.channels().filter((channel) => channel.person === person);
};
const headersOf = (channel: { id: string; token: string | null; resourceId: string }) => ({
  'x-goog-channel-id': channel.id,
  'x-goog-channel-token': channel.token ?? '',
  'x-goog-resource-id': channel.resourceId,
  'x-goog-resource-state': 'exists',
  'x-goog-message-number': '99',
});
const notify = (headers: Record<string, string>, init: RequestInit = {}) =>
  fetch(stage.notifications, { method: 'POST', headers, ...init });

describe('31. Watch happy path', () => {
  test('a row before the request, sync before the answer, a push becomes a session, fifty pushes are two polls', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    expect((await channels()).map(({ state }) => state)).toEqual(['verified', 'verified']);
    const [opened] = ofAda();
    if (!opened) throw new Error('no channel was opened');
    expect(opened.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(Buffer.from(opened.token ?? '', 'base64url')).toHaveLength(32);
    expect(opened.address).toBe(stage.notifications);
    expect(stage.google.push.deliveries().map(({ state, status }) => [state, status])).toEqual([
      ['sync', 202],
      ['sync', 202],
    ]);
    await stage.pollDue();
    // With push that works, polls are as far apart as they may be.
    expect((await pollIn()).most).toBeGreaterThan(6 * 60);

    await atRest();
    expect(await sessions()).toEqual([]);
    book();
    await stage.pushed();
    expect(await sessions()).toHaveLength(1);

    const lists = () => stage.asked(`/calendars/primary/events?`);
    // A push just followed makes the next one wait a second: from a calendar at rest this is one poll and one more.
    await atRest();
    const before = lists();
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => notify(headersOf(opened))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await stage.settled();
    expect(lists() - before).toBeGreaterThanOrEqual(1);
    // Two for a second; where fifty take longer than that, one more for each second begun.
    const seconds = Math.ceil((performance.now() - began) / 1000);
    expect(lists() - before).toBeLessThanOrEqual(1 + seconds);
  });

  test('a push is followed by looks after ten seconds and a minute', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    await atRest();
    book();
    await stage.pushed();
    const looks = () =>
      stage.rows(sql<{ look: number | null }>`
        select round(extract(epoch from look_again_at - pushed_at))::int as look
          from cadenced.calendar where address = ${ADA}`);
    expect(await looks()).toEqual([{ look: 10 }]);
    const passed = (seconds: number) =>
      sql`update cadenced.calendar set pushed_at = pushed_at - make_interval(secs => ${seconds}::int),
                 look_again_at = look_again_at - make_interval(secs => ${seconds}::int)`.execute(
        stage.workshop.db,
      );
    await passed(11);
    await stage.settled();
    expect(await looks()).toEqual([{ look: 60 }]);
    await passed(60);
    await stage.settled();
    expect(await looks()).toEqual([{ look: null }]);
  });
});

test('32. Forged notification: no poll, no information, the same answer', async () => {
  stage = await openGoogleStage({ push: true });
  await stage.pushed();
  const [opened] = ofAda();
  if (!opened) throw new Error('no channel was opened');
  const good = headersOf(opened);
  const { 'x-goog-channel-token': _without, ...tokenless } = good;
  const pushedAt = () =>
    stage.rows(sql`select calendar_id, pushed_at, next_poll_at from cadenced.calendar order by 1`);
  const before = await pushedAt();
  const forged: Record<string, string>[] = [
    { ...good, 'x-goog-channel-token': 'A'.repeat(43) },
    tokenless,
    { ...good, 'x-goog-channel-id': randomUUID(), 'x-goog-channel-token': 'B'.repeat(43) },
    // A true token under another channel's name, and of another calendar.
    { ...good, 'x-goog-channel-id': randomUUID() },
    { ...good, 'x-goog-resource-id': 'another' },
    { ...good, 'x-goog-channel-id': 'x'.repeat(300) },
    {},
  ];
  for (const headers of forged) {
    const answer = await notify(headers);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
  }
  expect((await fetch(stage.notifications)).status).toBe(404);
  expect((await notify(good, { body: Buffer.alloc(1024 * 1024) })).status).toBe(413);
  await stage.settled();
  expect(await pushedAt()).toEqual(before);
  const metrics = await (await fetch(`${stage.daemon.http.metricsUrl}/metrics`)).text();
  expect(metrics).toMatch(/cadenced_notifications_total\{provider="google",outcome="wrong_secret"\} \d/);
  expect(metrics).toContain('cadenced_notifications_total{provider="google",outcome="wrong_resource"} 2');
  expect(metrics).toContain('cadenced_channels_expected{provider="google"} 2');
  expect(metrics).toContain('cadenced_channels{provider="google",state="verified"} 2');
});

test('33. The database is away: 503, so that Google sends again; else always 2xx', async () => {
  stage = await openGoogleStage({ push: true, habits: { pushRetryMs: 20 } });
  await stage.pushed();
  await atRest();
  const { db } = stage.workshop;
  // Only what the handler writes is out of reach: the rest of the daemon must not stumble over this test.
  await sql`alter table cadenced.channel rename to channel_away`.execute(db);
  book();
  const [opened] = ofAda();
  if (!opened) throw new Error('no channel was opened');
  expect((await notify(headersOf(opened))).status).toBe(503);
  // The stand-in's own notification of the booking must meet the closed door too.
  await vi.waitFor(() =>
    expect(stage.google.push.deliveries().some(({ status }) => status === 503)).toBe(true),
  );
  await sql`alter table cadenced.channel_away rename to channel`.execute(db);
  expect((await notify(headersOf(opened))).status).toBe(202);
  await stage.pushed();
  expect(await sessions()).toHaveLength(1);
});

describe('34. Renewal', () => {
  test('at 75 % of its life a second channel is opened, both live, then the first is stopped by its resource id', async () => {
    stage = await openGoogleStage({ push: true, habits: { pushTtlMs: 4 * DAY } });
    await stage.pushed();
    const [first] = ofAda();
    await stage.advance(2.7 * DAY);
    await stage.pushed();
    expect(ofAda()).toHaveLength(1);
    await stage.advance(0.6 * DAY);
    await stage.pushed();
    const [old, renewed] = ofAda();
    expect(ofAda()).toHaveLength(2);
    expect(old?.id).toBe(first?.id);
    expect(renewed?.id).not.toBe(first?.id);
    expect([old?.stopped, renewed?.stopped]).toEqual([true, false]);
    const states = (await channels()).filter(({ address }) => address === ADA);
    expect(states.map(({ state, failure, closed }) => [state, failure, closed])).toEqual([
      ['retired', 'replaced', true],
      ['verified', null, false],
    ]);
  });

  test('404 on stop is done, 403 is told once and left to run out', async () => {
    stage = await openGoogleStage({ push: true, habits: { pushTtlMs: 4 * DAY } });
    await stage.pushed();
    const [first] = ofAda();
    if (!first) throw new Error('no channel was opened');
    first.stopped = true; // what Google forgot by itself
    stage.faults.add({
      path: '/channels/stop',
      mailbox: BO,
      fault: { kind: 'status', status: 403, reason: 'forbidden' },
    });
    await stage.advance(3.3 * DAY);
    await stage.pushed();
    await stage.settled();
    expect((await channels()).map(({ state, closed }) => [state, closed])).toEqual(
      expect.arrayContaining([
        ['retired', true],
        ['verified', false],
      ]),
    );
    expect((await channels()).filter(({ state, closed }) => state === 'retired' && !closed)).toEqual([]);
    expect(stage.logged.filter((line) => line.includes('may not be closed'))).toHaveLength(1);
  });

  test('renewal that fails until the channel ends tightens polling and is told; later it comes back', async () => {
    stage = await openGoogleStage({ push: true, habits: { pushTtlMs: 4 * DAY } });
    await stage.pushed();
    const rule = stage.faults.add({ path: '/events/watch', fault: { kind: 'status', status: 503 } });
    await stage.advance(3.3 * DAY);
    await stage.pushed();
    // The old channel still works while its successor is refused.
    expect((await push()).map((one) => one.push)).toEqual(['verified', 'verified']);
    expect(stage.asked('/events/watch')).toBe(4);
    await stage.settled();
    expect(stage.asked('/events/watch')).toBe(4);
    for (let hours = 0; hours < 30; hours += 1) {
      await stage.advance(HOUR);
      await stage.settled();
    }
    expect(await push()).toEqual([
      { calendar: ADA, push: 'failing', push_reason: 'backend_error' },
      { calendar: BO, push: 'failing', push_reason: 'backend_error' },
    ]);
    expect(stage.logged.filter((line) => line.includes('for a day')).length).toBeGreaterThan(0);
    await stage.pollDue();
    expect((await pollIn()).most).toBeLessThanOrEqual(5 * 60 * 1.25);
    stage.faults.remove(rule);
    await stage.advance(2 * HOUR);
    await stage.pushed();
    expect((await push()).map((one) => one.push)).toEqual(['verified', 'verified']);
  });

  test('a daemon that was away when a channel was to be renewed finds its row, renews it and stops the old one', async () => {
    stage = await openGoogleStage({ push: true, habits: { pushTtlMs: 4 * DAY } });
    await stage.pushed();
    const [first] = ofAda();
    await stage.away(3.3 * DAY);
    await stage.pushed();
    await stage.settled();
    expect(ofAda().map(({ id, stopped }) => [id === first?.id, stopped])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect((await push()).map((one) => one.push)).toEqual(['verified', 'verified']);
    // Away for longer than any channel lives: nothing is there to be stopped, and push comes back.
    await stage.away(5 * DAY);
    await stage.pushed();
    await stage.settled();
    expect((await push()).map((one) => one.push)).toEqual(['verified', 'verified']);
    await atRest();
    book();
    await stage.pushed();
    expect(await sessions()).toHaveLength(1);
  });

  test('a calendar that can no longer be read loses its channel quietly', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    setPersonState(stage.world, { person: ADA, state: 'forbidden' });
    await stage.pollDue();
    await stage.settled();
    expect(ofAda().map(({ stopped }) => stopped)).toEqual([true]);
    expect((await push())[0]).toEqual({ calendar: ADA, push: null, push_reason: null });
  });
});

describe('35. Watch refused', () => {
  test('pushNotSupportedForRequestedResource: polled for good, without alarm', async () => {
    stage = await openGoogleStage({
      push: true,
      before: ({ google }) => void google.push.unwatchable.add(ADA),
    });
    await stage.pushed();
    expect(await push()).toEqual([
      { calendar: ADA, push: 'unsupported', push_reason: 'push_not_supported' },
      { calendar: BO, push: 'verified', push_reason: null },
    ]);
    await stage.advance(3 * DAY);
    await stage.settled();
    expect(
      stage.faults.log.entries().filter((entry) => entry.url.includes('/watch') && entry.mailbox === ADA),
    ).toHaveLength(1);
    expect(stage.logged.filter((line) => /"level":(40|50|60)|"level":"(warn|error)"/.test(line))).toEqual([]);
  });

  test('push.webhookUrlUnauthorized: told once with the address, however many calendars', async () => {
    stage = await openGoogleStage({ push: true, pairs: 3, habits: { webhooks: 'unauthorized' } });
    expect(new Set((await push()).map((one) => `${one.push} ${one.push_reason}`))).toEqual(
      new Set(['refused push_url_refused']),
    );
    const told = stage.logged.filter((line) => line.includes('refuses to deliver'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(stage.notifications);
  });

  test('channelIdNotUnique and 503: asked again under a new id, never the same one twice', async () => {
    stage = await openGoogleStage({
      push: true,
      before: ({ faults }) => {
        faults.add({
          path: '/events/watch',
          mailbox: ADA,
          times: 1,
          fault: { kind: 'status', status: 400, reason: 'channelIdNotUnique' },
        });
        faults.add({ path: '/events/watch', mailbox: BO, times: 1, fault: { kind: 'status', status: 503 } });
      },
    });
    expect((await push()).map((one) => one.push)).toEqual(['failing', 'failing']);
    await stage.advance(2 * 60_000);
    await stage.pushed();
    expect((await push()).map((one) => one.push)).toEqual(['verified', 'verified']);
    expect(stage.asked('/events/watch')).toBe(4);
    expect(new Set((await channels()).map(({ id }) => id)).size).toBe(4);
  });

  test('an opening whose answer was lost is an orphan, and is closed when it speaks', async () => {
    stage = await openGoogleStage({
      push: true,
      before: ({ faults }) =>
        void faults.add({ path: '/events/watch', mailbox: ADA, times: 1, fault: { kind: 'truncated' } }),
    });
    // The stand-in opened it and said so; only its answer did not arrive whole.
    expect(ofAda()).toHaveLength(1);
    await stage.pushed();
    await stage.settled();
    expect(ofAda()[0]?.stopped).toBe(true);
    await stage.advance(2 * 60_000);
    await stage.pushed();
    expect(ofAda().map(({ stopped }) => stopped)).toEqual([true, false]);
  });
});

test('36. All pushes lost: the fallback poll finds the change within its period', async () => {
  stage = await openGoogleStage({ push: true, habits: { pushLost: 1 } });
  await stage.pushed();
  await atRest();
  book();
  await stage.pushed();
  expect(await sessions()).toEqual([]);
  await stage.pollDue();
  expect((await pollIn()).most).toBeLessThanOrEqual(15 * 60 * 1.25);
  expect(await sessions()).toHaveLength(1);
});

test('36. Pushes that come twice, late or in a storm change nothing but the time', async () => {
  stage = await openGoogleStage({ push: true, habits: { pushTwice: 1, pushDelayMs: 20 } });
  await stage.pushed();
  book();
  book('Second #mentoring', '2026-09-16T10:00');
  await stage.pushed();
  await stage.pollDue();
  expect(await sessions()).toHaveLength(2);
});
