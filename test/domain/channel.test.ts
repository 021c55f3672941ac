import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHANNEL_STATES,
  type Channel,
  openAgainAfterMs,
  planChannels,
  renewalTime,
  UNANSWERED_AFTER_MS,
} from '../../src/domain/channel.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-09-07T06:00:00Z');
const URL = 'https://cadenced.example/notifications/google';

const channel = (given: Partial<Channel> = {}): Channel => ({
  channelId: '80000000-0000-4000-8000-000000000001',
  state: 'verified',
  url: URL,
  externalId: 'x1',
  resourceId: 'r1',
  requestedAt: NOW - DAY,
  openedAt: NOW - DAY,
  expiresAt: NOW + 6 * DAY,
  renewAt: NOW + 4 * DAY,
  firstSpokeAt: NOW - DAY,
  closedAt: null,
  ...given,
});
const plan = (channels: readonly Channel[], given: Partial<Parameters<typeof planChannels>[0]> = {}) =>
  planChannels({
    now: NOW,
    wanted: true,
    url: URL,
    holdUntil: null,
    refused: null,
    silentSince: null,
    channels,
    ...given,
  });
const acts = (...given: Parameters<typeof plan>) => plan(...given).actions.map(({ act }) => act);

describe('channels', () => {
  test('one is opened where none is, and none while one is being asked for', () => {
    expect(acts([])).toEqual(['open']);
    expect(
      acts([channel({ state: 'requested', openedAt: null, expiresAt: null, requestedAt: NOW - 1000 })]),
    ).toEqual([]);
    expect(acts([channel()])).toEqual([]);
    expect(acts([], { holdUntil: NOW + 1 })).toEqual([]);
    expect(acts([], { wanted: false })).toEqual([]);
  });

  test('a new one takes over only when it has shown that it works', () => {
    const old = channel({ channelId: 'a0000000-0000-4000-8000-000000000001', renewAt: NOW - 1 });
    expect(acts([old])).toEqual(['renew']);
    const fresh = channel({ openedAt: NOW - 1000, state: 'unverified', firstSpokeAt: null });
    expect(acts([old, fresh])).toEqual([]);
    expect(acts([old, { ...fresh, state: 'verified' }])).toEqual(['retire', 'close']);
  });

  test('one that delivers elsewhere is replaced, not dropped', () => {
    const elsewhere = channel({ url: 'https://old.example/notifications/google' });
    expect(acts([elsewhere])).toEqual(['open']);
    const here = channel({ channelId: 'b0000000-0000-4000-8000-000000000001', openedAt: NOW });
    expect(acts([elsewhere, here])).toEqual(['retire', 'close']);
  });

  test('one that never spoke goes as soon as another is open, one that spoke when the other has spoken too', () => {
    const silent = channel({
      channelId: 'a0000000-0000-4000-8000-000000000001',
      state: 'unverified',
      firstSpokeAt: null,
    });
    const fresh = channel({ openedAt: NOW - 1000, state: 'unverified', firstSpokeAt: null });
    expect(acts([silent, fresh])).toEqual(['retire', 'close']);
    expect(acts([{ ...silent, url: 'https://old.example/notifications/google' }, fresh])).toEqual([
      'retire',
      'close',
    ]);
    expect(acts([{ ...silent, openedAt: NOW - 6 * HOUR + 1 }])).toEqual([]);
    expect(acts([{ ...silent, openedAt: NOW - 6 * HOUR }])).toEqual(['open']);
    // One that spoke once, and is over in a day: silence began when it was to be replaced.
    const spoke = channel({ channelId: 'b0000000-0000-4000-8000-000000000001', renewAt: NOW - DAY });
    expect(acts([spoke, { ...silent, openedAt: NOW - 6 * HOUR }])).toEqual([]);
    expect(acts([spoke, { ...silent, openedAt: NOW - 12 * HOUR }])).toEqual(['open']);
  });

  test('one without an answer is given up; it is closed when it tells its name', () => {
    const lost = channel({
      state: 'requested',
      externalId: null,
      openedAt: null,
      expiresAt: null,
      requestedAt: NOW - UNANSWERED_AFTER_MS,
    });
    expect(acts([lost])).toEqual(['retire', 'open']);
    expect(acts([{ ...lost, state: 'retired' }], { wanted: false })).toEqual([]);
    expect(acts([{ ...lost, state: 'retired', externalId: 'x' }], { wanted: false })).toEqual(['close']);
  });

  test('push is believed when something has come through', () => {
    expect(plan([channel()]).push).toBe('verified');
    expect(plan([channel({ state: 'unverified' })]).push).toBe('unverified');
    expect(plan([], { refused: 'unsupported', holdUntil: NOW + DAY }).push).toBe('unsupported');
    expect(plan([channel()], { wanted: false }).push).toBe(null);
  });

  const anyChannel = fc.record({
    channelId: fc.uuid(),
    state: fc.constantFrom(...CHANNEL_STATES),
    url: fc.constantFrom(URL, 'https://old.example'),
    externalId: fc.constantFrom('x', null),
    resourceId: fc.constant('r'),
    requestedAt: fc.integer({ min: NOW - 10 * DAY, max: NOW }),
    openedAt: fc.option(fc.integer({ min: NOW - 10 * DAY, max: NOW })),
    expiresAt: fc.option(fc.integer({ min: NOW - DAY, max: NOW + 7 * DAY })),
    renewAt: fc.option(fc.integer({ min: NOW - DAY, max: NOW + 7 * DAY })),
    firstSpokeAt: fc.constant(null),
    closedAt: fc.constant(null),
  });

  test('whatever there is: at most one is opened, a working one is never the one to go, nothing is forgotten', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyChannel, { maxLength: 5, selector: (one) => one.channelId }),
        fc.boolean(),
        (given, wanted) => {
          const planned = plan(given, { wanted });
          const openings = planned.actions.filter(({ act }) => act === 'open' || act === 'renew');
          expect(openings.length).toBeLessThanOrEqual(wanted ? 1 : 0);
          const gone = new Set(
            planned.actions.flatMap((action) => (action.act === 'retire' ? [action.channel.channelId] : [])),
          );
          const works = (one: Channel) =>
            one.state === 'verified' && one.url === URL && (one.expiresAt ?? one.requestedAt + 7 * DAY) > NOW;
          if (wanted && given.some(works))
            expect(given.some((one) => works(one) && !gone.has(one.channelId))).toBe(true);
          // A row that may still be open at the provider is looked at again, or dealt with now.
          for (const one of given) {
            const dealtWith = planned.actions.some(
              (action) => 'channel' in action && action.channel.channelId === one.channelId,
            );
            expect(dealtWith || planned.lookAgainAt !== null).toBe(true);
          }
          if (planned.lookAgainAt !== null) expect(planned.lookAgainAt).toBeGreaterThan(NOW);
        },
      ),
    );
  });

  describe('behind a firewall', () => {
    /** Lets a calendar's channels live as the use case and Google let them, from a first opening on. */
    function live(until: number, isOpen: (at: number) => boolean) {
      let rows: Channel[] = [];
      let now = NOW;
      let push: { state: string | null; since: number } = { state: null, since: NOW };
      const openings: number[] = [];
      let mostLive = 0;
      let reachedAt: number | null = null;
      while (now <= until) {
        const planned = plan(rows, { now, silentSince: push.state === 'unverified' ? push.since : null });
        for (const action of planned.actions) {
          if (action.act === 'open' || action.act === 'renew') {
            const channelId = `${openings.length + 80_000_000}-0000-4000-8000-000000000001`;
            const spoke = isOpen(now);
            openings.push(now);
            if (spoke) reachedAt ??= now;
            const expiresAt = now + 7 * DAY;
            const opened = { channelId, externalId: channelId, requestedAt: now, openedAt: now, expiresAt };
            rows.push(
              channel({
                ...opened,
                renewAt: renewalTime(channelId, now, expiresAt),
                state: spoke ? 'verified' : 'unverified',
                firstSpokeAt: spoke ? now : null,
              }),
            );
            mostLive = Math.max(mostLive, rows.length);
          } else if (action.act === 'close' || action.gone) {
            rows = rows.filter(({ channelId }) => channelId !== action.channel.channelId);
          }
        }
        if (planned.push !== push.state) push = { state: planned.push, since: now };
        if (planned.actions.length === 0) now = planned.lookAgainAt ?? until + 1;
      }
      return { openings, mostLive, reachedAt };
    }

    test('that never opens: two at once at the most, at growing distances, once a day in the end', () => {
      const { openings, mostLive, reachedAt } = live(NOW + 7 * DAY, () => false);
      const distances = openings.slice(1).map((at, n) => (at - (openings[n] ?? 0)) / HOUR);
      expect(distances).toEqual([6, 6, 12, ...Array.from({ length: 6 }, () => 24)]);
      expect(mostLive).toBe(2);
      expect(reachedAt).toBe(null);
    });

    test('that opens: noticed within a day without any change in the calendar', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 20 * DAY }),
          fc.integer({ min: 0, max: 20 * DAY }),
          (shut, length) => {
            const isOpen = (at: number) => at < NOW + shut || at >= NOW + shut + length;
            const { openings, mostLive } = live(NOW + 60 * DAY, isOpen);
            expect(mostLive).toBeLessThanOrEqual(3);
            const asked = openings.filter((at) => at >= NOW + shut && !isOpen(at));
            const after = openings.find((at) => at >= NOW + shut + length);
            // Where nothing was opened while it was shut, nothing was missed.
            if (asked.length > 0)
              expect((after ?? Infinity) - (NOW + shut + length)).toBeLessThanOrEqual(DAY);
          },
        ),
      );
    });
  });

  test('renewals fall between 70 and 80 % of a life, and not together', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: HOUR, max: 7 * DAY }), (id, life) => {
        const share = (renewalTime(id, NOW, NOW + life) - NOW) / life;
        expect(share).toBeGreaterThanOrEqual(0.699);
        expect(share).toBeLessThanOrEqual(0.801);
      }),
    );
    expect(new Set(['00000000', '80000000', 'ffffffff'].map((id) => renewalTime(id, 0, DAY))).size).toBe(3);
  });

  test('a failing opening is asked for at growing distances, hourly at most', () => {
    const distances = Array.from({ length: 12 }, (_, index) => openAgainAfterMs(index + 1));
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(distances[0]).toBe(60_000);
    expect(distances.at(-1)).toBe(HOUR);
  });
});
