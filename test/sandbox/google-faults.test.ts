import { auth, calendar } from 'googleapis/build/src/apis/calendar/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTrouble } from '../../src/sandbox/faults.ts';
import { createMeeting } from '../../src/sandbox/world/index.ts';
import { type Bench, openBench, reasonOf } from './google-client.ts';

const EVENTS = '/calendar/v3/calendars/ada%40north.example/events';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  bench.weekly();
  await bench.page();
  bench.google.faults.log.clear();
});
afterEach(() => bench.close());

describe('faults', () => {
  it('refuse in Google’s words, as often as told, after as many as told', async () => {
    const { faults } = bench.google;
    faults.add({
      path: '/events',
      skip: 1,
      times: 2,
      fault: { kind: 'status', status: 403, reason: 'rateLimitExceeded' },
    });
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await bench.get(EVENTS)).status);
    expect(statuses).toEqual([200, 403, 403, 200]);
    expect(faults.rules()).toMatchObject([{ seen: 4, hits: 2 }]);
    faults.add({ fault: { kind: 'status', status: 429, retryAfter: 7 } });
    const throttled = await bench.get(EVENTS);
    expect([throttled.status, throttled.headers.get('retry-after'), reasonOf(throttled).reason]).toEqual([
      429,
      '7',
      'rateLimitExceeded',
    ]);
  });

  it('can pass through a proxy’s page, half an answer and an empty object', async () => {
    const { faults } = bench.google;
    const whole = (await bench.get(EVENTS)).text;
    faults.add({ times: 1, fault: { kind: 'html', status: 502 } });
    expect(await bench.get(EVENTS)).toMatchObject({ status: 502, text: expect.stringContaining('<html>') });
    faults.clear();
    faults.add({ times: 1, fault: { kind: 'truncated' } });
    const half = await bench.get(EVENTS);
    expect([half.status, half.text]).toEqual([200, whole.slice(0, Math.floor(whole.length / 2))]);
    faults.clear();
    faults.add({ fault: { kind: 'empty_object' } });
    expect(await bench.get(EVENTS)).toMatchObject({ status: 200, text: '{}' });
  });

  it('expire a cursor and empty a page for one mailbox alone', async () => {
    const { token } = await bench.all();
    bench.google.faults.add({ mailbox: 'ada@north.example', times: 1, fault: { kind: 'expired_cursor' } });
    const expired = await bench.get(EVENTS, { syncToken: token });
    expect([expired.status, reasonOf(expired).reason]).toEqual([410, 'fullSyncRequired']);
    bench.google.faults.add({ mailbox: 'ada@north.example', times: 1, fault: { kind: 'empty_page' } });
    expect(await bench.page({}, 'cyd@north.example')).toHaveProperty('nextSyncToken');
    const { items, pages } = await bench.all();
    expect([items.length, pages]).toEqual([1, 2]);
  });

  it('tear connections and never answer, yet let the sandbox close', async () => {
    const { faults } = bench.google;
    faults.add({ times: 1, fault: { kind: 'reset' } });
    await expect(bench.get(EVENTS)).rejects.toThrow('fetch failed');
    expect(faults.log.entries().at(-1)).toMatchObject({ fault: 'reset', status: null });
    for (const where of ['headers', 'body'] as const) {
      faults.clear();
      faults.add({ fault: { kind: 'stall', where } });
      const aborted = faults.log.waitFor(({ fault, done }) => fault === 'stall' && done);
      const response = fetch(`${bench.google.url}${EVENTS}`, { signal: AbortSignal.timeout(50) });
      await expect(response.then((answer) => answer.text())).rejects.toThrow('aborted');
      await aborted;
      faults.log.clear();
    }
    expect(faults.log.inFlight('ada@north.example')).toBe(0);
  });

  it('go by chance, and by the same chance from the same seed', async () => {
    bench.google.faults.add({ probability: 0.5, fault: { kind: 'status', status: 500 } });
    const statuses: number[] = [];
    for (let index = 0; index < 20; index += 1) statuses.push((await bench.get(EVENTS)).status);
    expect(new Set(statuses)).toEqual(new Set([200, 500]));
  });

  it('come in every kind when trouble is asked for, and go when it is over', async () => {
    const { faults } = bench.google;
    const rules = addTrouble(faults, { provider: 'google', probability: 0.8 });
    for (let index = 0; index < 60; index += 1) await bench.get(EVENTS).catch(() => null);
    expect(faults.rules().filter(({ hits }) => hits > 0).length).toBeGreaterThanOrEqual(5);
    for (const id of rules) faults.remove(id);
    expect((await bench.get(EVENTS)).status).toBe(200);
  });

  it('write Meet’s errors in Meet’s form', async () => {
    bench.google.faults.add({ path: '^/v2/', fault: { kind: 'status', status: 429 } });
    const answer = await bench.get('/v2/conferenceRecords');
    expect(JSON.parse(answer.text)).toEqual({
      error: { code: 429, message: 'Rate Limit Exceeded', status: 'RESOURCE_EXHAUSTED' },
    });
  });
});

describe('the request log', () => {
  it('tells who asked for what on whose behalf, and how many at once', async () => {
    bench.google.faults.add({ fault: { kind: 'delay', ms: 30 } });
    await Promise.all([1, 2, 3].map((quotaUser) => bench.page({ quotaUser: `q${quotaUser}` })));
    const { log } = bench.google.faults;
    expect(log.maxInFlight('ada@north.example')).toBe(3);
    expect(log.entries().map(({ quotaUser }) => quotaUser)).toEqual(
      expect.arrayContaining(['q1', 'q2', 'q3']),
    );
    expect(log.entries()[0]).toMatchObject({
      provider: 'google',
      method: 'GET',
      path: EVENTS,
      mailbox: 'ada@north.example',
    });
  });
});

describe('quota', () => {
  it('is charged to the service account unless a quota user is named', async () => {
    bench.google.habits.perUserPerMinute = 2;
    const status = async (as: string, query = {}) =>
      (await bench.get(`/calendar/v3/calendars/${encodeURIComponent(as)}/events`, query, as)).status;
    expect(await status('ada@north.example')).toBe(200);
    expect(await status('cyd@north.example')).toBe(200);
    expect(await status('ada@north.example')).toBe(403);
    expect(await status('ada@north.example', { quotaUser: 'hash-of-ada' })).toBe(200);
    bench.world.clock.advance(61_000);
    expect(await status('ada@north.example')).toBe(200);
  });
});

describe('quota of the project', () => {
  it('is one for all quota users, in a minute that slides', async () => {
    bench.google.habits.perProjectPerMinute = 2;
    bench.google.habits.quotaMinuteMs = 10_000;
    const status = async (quotaUser: string) =>
      (await bench.get('/calendar/v3/calendars/primary/events', { quotaUser }, 'ada@north.example')).status;
    expect(await status('one')).toBe(200);
    bench.world.clock.advance(6_000);
    expect(await status('two')).toBe(200);
    expect(await status('three')).toBe(403);
    // The first is ten seconds old, the second is not.
    bench.world.clock.advance(5_000);
    expect(await status('three')).toBe(200);
    expect(await status('one')).toBe(403);
  });
});

describe('Google’s own client', () => {
  it('signs in, lists in pages and follows the sync token', async () => {
    const { google, world } = bench;
    const jwt = new auth.JWT({
      email: google.serviceAccountKey.client_email,
      key: google.serviceAccountKey.private_key,
      scopes: ['https://www.googleapis.com/auth/calendar.events.readonly'],
      subject: 'ada@north.example',
    });
    // The library's token address is fixed; only its transport can be led elsewhere.
    jwt.transporter.interceptors.request.add({
      resolved: async (request) => {
        if (request.url.href === 'https://oauth2.googleapis.com/token')
          request.url = new URL(google.tokenUrl);
        return request;
      },
    });
    const api = calendar({ version: 'v3', auth: jwt, rootUrl: google.url, retry: false });
    createMeeting(world, { organizer: 'ada@north.example', title: 'Second', start: '2026-10-08T09:00' });
    const first = await api.events.list({ calendarId: 'primary', maxResults: 1, quotaUser: 'ada' });
    const second = await api.events.list({
      calendarId: 'primary',
      maxResults: 1,
      quotaUser: 'ada',
      pageToken: first.data.nextPageToken ?? '',
    });
    expect([first.data.items?.length, second.data.items?.length]).toEqual([1, 1]);
    expect(first.data.kind).toBe('calendar#events');
    createMeeting(world, { organizer: 'ada@north.example', title: 'Third', start: '2026-10-09T09:00' });
    const delta = await api.events.list({
      calendarId: 'primary',
      syncToken: second.data.nextSyncToken ?? '',
    });
    expect(delta.data.items?.map(({ summary }) => summary)).toEqual(['Third']);
    await expect(api.events.list({ calendarId: 'cyd@north.example' })).rejects.toMatchObject({ code: 404 });
  });
});
