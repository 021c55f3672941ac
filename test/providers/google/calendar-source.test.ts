import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Failure, isFailure } from '../../../src/domain/failure.ts';
import type { ChangePage, Listing } from '../../../src/domain/observation.ts';
import { TIME_LIMITS } from '../../../src/providers/google/client.ts';
import { createGoogle, type RequestReport } from '../../../src/providers/google/index.ts';
import { createLog } from '../../../src/runtime/log.ts';
import {
  eventsPage,
  type GoogleServer,
  googleAt,
  type Handler,
  type Reply,
  refusal,
  startGoogleServer,
} from './server.ts';

const ADA = { calendarId: 1, address: 'ada@school.example' };
const WINDOW = { from: Date.parse('2026-10-17T00:00:00Z'), until: Date.parse('2027-03-01T00:00:00Z') };
const signal = new AbortController().signal;

const single = (id: string) => ({
  id,
  status: 'confirmed',
  iCalUID: `${id}@google.com`,
  start: { dateTime: '2026-11-24T10:00:00+01:00', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-11-24T11:00:00+01:00', timeZone: 'Europe/Berlin' },
});

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const page of pages) gathered.push(page);
  return gathered;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

const ids = (pages: readonly (ChangePage | Listing)[]) =>
  pages.flatMap((page) =>
    'items' in page
      ? page.items.map((item) => (item.kind === 'single' ? item.copy.sourceId : item.kind))
      : page.copies.map((copy) => copy.sourceId),
  );

describe('Google calendar source', () => {
  let server: GoogleServer;
  const answers = (...replies: readonly (Reply | Handler)[]) => {
    let next = 0;
    server.handle = (seen) => {
      const reply = replies[Math.min(next++, replies.length - 1)];
      if (reply === undefined) throw new Error('no reply');
      return typeof reply === 'function' ? reply(seen) : reply;
    };
  };
  beforeEach(async () => {
    server = await startGoogleServer();
  });
  afterEach(() => server.close());

  describe('changes', () => {
    it('pulls page by page and gives the cursor with the last page only', async () => {
      answers(
        eventsPage([single('a'), single('b')], { nextPageToken: 'P2' }),
        eventsPage([], { nextPageToken: 'P3' }),
        eventsPage([single('c')], { nextSyncToken: 'S1' }),
      );
      const pages = await all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal));
      expect(pages.map((page) => page.cursor)).toEqual([null, null, 'S1']);
      expect(ids(pages)).toEqual(['a', 'b', 'c']);
      const [first, second] = server.requests;
      expect(first?.path).toBe('/calendar/v3/calendars/primary/events');
      expect(Object.fromEntries(first?.query ?? [])).toMatchObject({
        singleEvents: 'false',
        showDeleted: 'true',
        maxResults: '2500',
        timeMin: '2026-10-17T00:00:00Z',
        quotaUser: expect.stringMatching(/^[0-9a-f]{40}$/),
      });
      expect(first?.query.has('syncToken')).toBe(false);
      expect(second?.query.get('pageToken')).toBe('P2');
      second?.query.delete('pageToken');
      expect(second?.query.toString()).toBe(first?.query.toString());
    });

    it('sends with a cursor nothing that Google forbids beside it, and repeats it on every page', async () => {
      answers(eventsPage([], { nextPageToken: 'P2' }), eventsPage([], { nextSyncToken: 'S2' }));
      const pages = await all(googleAt(server).calendar.changes(ADA, 'S1', WINDOW, signal));
      expect(pages.at(-1)?.cursor).toBe('S2');
      for (const { query } of server.requests) {
        expect(query.get('syncToken')).toBe('S1');
        for (const name of ['iCalUID', 'orderBy', 'q', 'timeMin', 'timeMax', 'updatedMin'])
          expect(query.has(name)).toBe(false);
      }
    });

    it('says that the cursor is lost', async () => {
      for (const reply of [
        refusal(410, 'fullSyncRequired', 'syncToken'),
        refusal(400, 'invalid', 'syncToken'),
      ]) {
        answers(reply);
        const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, 'S1', WINDOW, signal)));
        expect(failed).toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      }
      expect(server.requests).toHaveLength(2);
    });

    it('begins anew once when a page token is refused, then gives the cursor up', async () => {
      answers(
        eventsPage([single('a')], { nextPageToken: 'P2' }),
        refusal(410, 'fullSyncRequired'),
        eventsPage([single('a')], { nextPageToken: 'P2b' }),
        eventsPage([single('b')], { nextSyncToken: 'S2' }),
      );
      const pages = await all(googleAt(server).calendar.changes(ADA, 'S1', WINDOW, signal));
      expect(ids(pages)).toEqual(['a', 'a', 'b']);
      expect(pages.at(-1)?.cursor).toBe('S2');

      answers(
        eventsPage([], { nextPageToken: 'P2' }),
        refusal(400, 'invalid', 'pageToken'),
        eventsPage([], { nextPageToken: 'P2' }),
        refusal(410, 'fullSyncRequired'),
      );
      const lost = await failureOf(all(googleAt(server).calendar.changes(ADA, 'S1', WINDOW, signal)));
      expect(lost).toMatchObject({ kind: 'gone', code: 'cursor_lost' });
    });

    it('does not ask for another full pass when a full pass loses its place', async () => {
      answers(
        eventsPage([], { nextPageToken: 'P2' }),
        refusal(410, 'fullSyncRequired'),
        eventsPage([], { nextPageToken: 'P2' }),
        refusal(410, 'fullSyncRequired'),
      );
      const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'transient', code: 'paging_lost' });
    });

    it('does not follow page tokens for ever', async () => {
      answers(eventsPage([], { nextPageToken: 'again' }));
      const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'permanent', code: 'endless_paging' });
      expect(server.requests).toHaveLength(200);
    });

    it('refuses a calendar that shows only when its owner is busy', async () => {
      answers({
        body: { kind: 'calendar#events', accessRole: 'freeBusyReader', items: [], nextSyncToken: 'S' },
      });
      const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'auth', code: 'free_busy_only' });
    });
  });

  describe('an answer that does not come whole', () => {
    const good = eventsPage([single('a')], { nextSyncToken: 'S1' });
    it.each([
      ['cut-off JSON', { raw: '{"kind":"calendar#events","items":[{"id":"a"' }],
      ['an empty object', { body: {} }],
      ['both tokens', eventsPage([], { nextPageToken: 'P', nextSyncToken: 'S' })],
      ['neither token', eventsPage([], {})],
      ['a page of HTML with 200', { raw: '<html>hello</html>', type: 'text/html' }],
      ['a page of HTML with 502', { raw: '<html>bad gateway</html>', type: 'text/html', status: 502 }],
      ['a 503', refusal(503, 'backendError')],
      ['a dropped connection', { misbehave: 'reset' }],
      ['a connection dropped in the body', { misbehave: 'reset in body' }],
    ] as const)('%s is asked again, and given up as passing', async (_name, reply) => {
      answers(reply as Reply, good);
      const google = googleAt(server);
      expect(ids(await all(google.calendar.changes(ADA, null, WINDOW, signal)))).toEqual(['a']);
      expect(google.waits).toHaveLength(1);

      answers(reply as Reply);
      const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed.kind).toBe('transient');
      expect(server.requests).toHaveLength(2 + 5);
    });

    it.each(['stall', 'stall in body'] as const)(
      'a %s ends by time-out after two attempts',
      async (misbehave) => {
        answers({ misbehave });
        const google = googleAt(server, { timeLimits: { ...TIME_LIMITS, list: 150 } });
        const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
        expect(failed).toMatchObject({ kind: 'transient', code: 'timed_out' });
        expect(server.requests).toHaveLength(2);
      },
    );

    it('stops at once when nobody wants the answer any more', async () => {
      const giveUp = new AbortController();
      answers(() => {
        giveUp.abort();
        return { misbehave: 'stall' };
      });
      const failed = await failureOf(
        all(googleAt(server).calendar.changes(ADA, null, WINDOW, giveUp.signal)),
      );
      expect(failed).toMatchObject({ kind: 'transient', code: 'aborted' });
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('throttling', () => {
    const good = eventsPage([], { nextSyncToken: 'S1' });
    it.each([
      refusal(403, 'rateLimitExceeded'),
      refusal(403, 'userRateLimitExceeded'),
      refusal(429, 'rateLimitExceeded'),
    ])('waits longer each time (%j)', async (reply) => {
      answers(reply, reply, good);
      const google = googleAt(server, { random: () => 0.5 });
      await all(google.calendar.changes(ADA, null, WINDOW, signal));
      expect(google.waits).toEqual([1500, 2500]);
    });

    it('waits what Retry-After asks', async () => {
      answers({ ...refusal(429, 'rateLimitExceeded'), headers: { 'retry-after': '7' } } as Reply, good);
      const google = googleAt(server);
      await all(google.calendar.changes(ADA, null, WINDOW, signal));
      expect(google.waits).toEqual([7000]);
    });

    it('hands a long wait back instead of waiting', async () => {
      answers({ ...refusal(429, 'rateLimitExceeded'), headers: { 'retry-after': '90' } } as Reply);
      const google = googleAt(server);
      const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'throttled', code: 'rate_limited', retryAfterMs: 90_000 });
      expect(google.waits).toEqual([]);

      answers(refusal(429, 'rateLimitExceeded'));
      const worn = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(worn).toMatchObject({ kind: 'throttled', retryAfterMs: 16_000 });
      expect(google.waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(20_000);

      answers(refusal(403, 'quotaExceeded'));
      const exhausted = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(exhausted).toMatchObject({ code: 'quota_exhausted', retryAfterMs: 3_600_000 });
    });

    it('keeps within what one person may ask in a minute, before Google has to refuse', async () => {
      server.handle = () => ({ body: { ...single('a'), status: 'cancelled' } });
      const reports: RequestReport[] = [];
      const google = googleAt(server, { onRequest: (report) => reports.push(report) });
      const began = performance.now();
      await Promise.all(Array.from({ length: 330 }, (_, n) => google.calendar.lookUp(ADA, `e${n}`, signal)));
      // Nearly three hundred at once, then five a second: what this test does not wait for was asked to be waited for.
      const earned = ((performance.now() - began) / 1000) * 5;
      expect(google.waits.length).toBeGreaterThanOrEqual(Math.floor(50 - earned) - 1);
      expect(google.waits.length).toBeLessThanOrEqual(50);
      await google.calendar.lookUp({ calendarId: 2, address: 'bo@school.example' }, 'e', signal);
      expect(reports.at(-1)?.waitedMs).toBe(0);
    });

    it('lets other calendars go on while one waits, and keeps four requests of one calendar in flight', async () => {
      const flying = new Map<string, number>();
      let most = 0;
      const gates: (() => void)[] = [];
      server.handle = async (seen) => {
        const user = seen.query.get('quotaUser') ?? '';
        flying.set(user, (flying.get(user) ?? 0) + 1);
        most = Math.max(most, flying.get(user) ?? 0);
        await new Promise<void>((open) => {
          gates.push(open);
          if (gates.length >= 4) for (const gate of gates.splice(0)) gate();
        });
        flying.set(user, (flying.get(user) ?? 1) - 1);
        return { body: { ...single('a'), status: 'cancelled' } };
      };
      const google = googleAt(server);
      await Promise.all(Array.from({ length: 8 }, (_, n) => google.calendar.lookUp(ADA, `e${n}`, signal)));
      expect(most).toBe(4);

      const sleeping = Promise.withResolvers<void>();
      const waking = Promise.withResolvers<void>();
      const slow = googleAt(server, {
        sleep: () => {
          sleeping.resolve();
          return waking.promise;
        },
      });
      const bo = { calendarId: 2, address: 'bo@school.example' };
      let refused = false;
      server.handle = () => {
        if (refused) return { body: { id: 'x', status: 'cancelled' } };
        refused = true;
        return refusal(429, 'rateLimitExceeded');
      };
      const ada = slow.calendar.lookUp(ADA, 'x', signal);
      await sleeping.promise;
      expect(await slow.calendar.lookUp(bo, 'x', signal)).toEqual({ found: 'gone' });
      waking.resolve();
      expect(await ada).toEqual({ found: 'gone' });
    });
  });

  describe('refusals that waiting does not mend', () => {
    it.each([
      [refusal(403, 'insufficientPermissions'), 'config/scope_missing'],
      [refusal(403, 'accessNotConfigured'), 'config/api_not_enabled'],
      [refusal(403, 'forbidden'), 'auth/forbidden'],
      [refusal(403, 'notACalendarUser'), 'auth/not_a_calendar_user'],
      [refusal(404, 'notFound'), 'gone/not_found'],
    ])('%j is asked once', async (reply, verdict) => {
      answers(reply);
      const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, 'S1', WINDOW, signal)));
      expect(`${failed.kind}/${failed.code}`).toBe(verdict);
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('tokens', () => {
    const good = eventsPage([], { nextSyncToken: 'S1' });

    it('are asked in the name of the calendar’s owner, for one scope, with Google as the audience', async () => {
      answers(good);
      await all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal));
      expect(server.assertions).toHaveLength(1);
      const claims = server.assertions[0] ?? {};
      expect(claims).toMatchObject({
        iss: 'reader@project.iam.gserviceaccount.example',
        sub: ADA.address,
        scope: 'https://www.googleapis.com/auth/calendar.events.readonly',
        aud: 'https://oauth2.googleapis.com/token',
      });
      expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
    });

    it('are fetched once for many calls at once', async () => {
      answers({ body: { id: 'x', status: 'cancelled' } });
      const google = googleAt(server);
      await Promise.all(Array.from({ length: 20 }, () => google.calendar.lookUp(ADA, 'x', signal)));
      expect(server.assertions).toHaveLength(1);
      expect(server.requests).toHaveLength(20);
    });

    it('are renewed once when an API refuses one', async () => {
      server.handle = (seen) => (seen.authorization === 'Bearer token-1' ? refusal(401, 'authError') : good);
      const google = googleAt(server);
      await all(google.calendar.changes(ADA, null, WINDOW, signal));
      expect(server.requests.map((seen) => seen.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);

      answers(refusal(401, 'authError'));
      const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'auth', code: 'token_refused' });
      expect(server.requests).toHaveLength(4);
    });

    it.each([
      [401, 'unauthorized_client', 'Client is unauthorized', 'config/delegation_missing', 1],
      [400, 'invalid_grant', 'Invalid email or User ID', 'gone/account_unknown', 1],
      [
        400,
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes)',
        'config/clock_skew',
        1,
      ],
      [503, 'internal_failure', '', 'transient/backend_error', 5],
    ])('refused with %s %s fail as they should', async (status, error, error_description, verdict, times) => {
      server.handleToken = () => ({ status, body: { error, error_description } });
      const failed = await failureOf(all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal)));
      expect(`${failed.kind}/${failed.code}`).toBe(verdict);
      expect(server.assertions).toHaveLength(times);
      expect(server.requests).toHaveLength(0);
    });

    it('that come cut off or not at all are asked for again', async () => {
      answers(good);
      const replies: Reply[] = [{ raw: '{"access_tok' }, { misbehave: 'reset' }, { misbehave: 'stall' }];
      server.handleToken = () =>
        replies.shift() ?? { body: { access_token: 't', expires_in: 3599, token_type: 'Bearer' } };
      const google = googleAt(server, { timeLimits: { ...TIME_LIMITS, token: 200 } });
      // The stall is the third failure and the first time-out.
      const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      expect(failed).toMatchObject({ kind: 'transient', code: 'timed_out' });
      expect(await all(google.calendar.changes(ADA, null, WINDOW, signal))).toHaveLength(1);
    });

    it('and keys never reach the log', async () => {
      let written = '';
      const log = createLog({
        format: 'json',
        level: 'trace',
        destination: {
          write: (line) => {
            written += line;
          },
        },
      });
      answers(refusal(503, 'backendError'), refusal(401, 'authError'), refusal(403, 'forbidden'));
      const google = googleAt(server, { log });
      const failed = await failureOf(all(google.calendar.changes(ADA, null, WINDOW, signal)));
      log.error(failed);
      expect(written).toContain('backend_error');
      expect(written).toContain('forbidden');
      expect(written).not.toMatch(/token-\d|PRIVATE|assertion|ada@school/);
    });

    it('and calls reach this machine past a proxy that the environment names', async () => {
      answers(good);
      vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
      vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
      try {
        expect(await all(googleAt(server).calendar.changes(ADA, null, WINDOW, signal))).toHaveLength(1);
      } finally {
        vi.unstubAllEnvs();
      }
    });

    it('are not fetched for somebody who gave up before', async () => {
      const failed = await failureOf(
        all(googleAt(server).calendar.changes(ADA, null, WINDOW, AbortSignal.abort())),
      );
      expect(failed).toMatchObject({ kind: 'transient', code: 'aborted' });
      expect(server.assertions).toEqual([]);
    });

    it('cannot be had with a key that is none', () => {
      const settings = { serviceAccountKey: { client_email: 'x', private_key: 'nonsense' }, maxInFlight: 1 };
      expect(() =>
        createGoogle(settings, { log: createLog({ format: 'json', level: 'silent' }), now: () => 0 }),
      ).toThrowError(expect.objectContaining({ kind: 'config', code: 'key_unreadable' }));
    });
  });

  describe('instances', () => {
    const instance = (day: string, more: object = {}) => ({
      ...single(`m_202611${day}T090000Z`),
      recurringEventId: 'm',
      originalStartTime: { dateTime: `2026-11-${day}T10:00:00+01:00`, timeZone: 'Europe/Berlin' },
      ...more,
    });

    it('expands a series inside the window, cancelled instances apart', async () => {
      answers(
        eventsPage([instance('24')], { nextPageToken: 'P2' }),
        eventsPage([instance('25', { status: 'cancelled' })], {}),
      );
      const listing = await googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal);
      expect(listing.gone).toBe(false);
      expect(listing.copies.map((copy) => copy.sourceId)).toEqual(['m_20261124T090000Z']);
      expect(listing.cancelled.map((one) => one.sourceId)).toEqual(['m_20261125T090000Z']);
      expect(server.requests[0]?.path).toBe('/calendar/v3/calendars/primary/events/m/instances');
      expect(Object.fromEntries(server.requests[0]?.query ?? [])).toMatchObject({
        timeMin: '2026-10-17T00:00:00Z',
        timeMax: '2027-03-01T00:00:00Z',
        showDeleted: 'true',
      });
    });

    it.each([refusal(404, 'notFound'), refusal(410, 'deleted')])(
      'says that there is none (%j)',
      async (reply) => {
        // The event is not there either, and the calendar is.
        answers((seen) => (seen.path.includes('/events/m') ? reply : eventsPage([], {})));
        const listing = await googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal);
        expect(listing).toEqual({ copies: [], cancelled: [], gone: true });
      },
    );

    it('does not take one "not found" for the end of a series that stands', async () => {
      answers((seen) =>
        seen.path.endsWith('/instances')
          ? refusal(404, 'notFound')
          : { body: { ...single('m'), recurrence: ['RRULE:FREQ=DAILY'] } },
      );
      expect(await failureOf(googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal))).toMatchObject({
        kind: 'transient',
        code: 'series_denied',
      });
    });

    it('says so of a series that became a single event', async () => {
      answers((seen) => (seen.path.endsWith('/instances') ? refusal(400, 'invalid') : { body: single('m') }));
      expect(await googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal)).toMatchObject({
        gone: true,
      });
      answers((seen) =>
        seen.path.endsWith('/instances')
          ? refusal(400, 'timeRangeEmpty')
          : { body: { ...single('m'), recurrence: ['RRULE:FREQ=DAILY'] } },
      );
      const failed = await failureOf(googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal));
      expect(failed.kind).toBe('permanent');
    });

    it('does not take a missing account for a missing series', async () => {
      server.handleToken = () => ({
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Invalid email or User ID' },
      });
      const failed = await failureOf(googleAt(server).calendar.instances(ADA, 'm', WINDOW, signal));
      expect(failed.code).toBe('account_unknown');
    });
  });

  describe('a look at one id', () => {
    it('finds what stands there', async () => {
      answers({ body: single('a') }, { body: { id: 'a', status: 'cancelled' } }, refusal(410, 'deleted'));
      const google = googleAt(server);
      expect(await google.calendar.lookUp(ADA, 'a', signal)).toMatchObject({ found: 'single' });
      expect(await google.calendar.lookUp(ADA, 'a', signal)).toEqual({ found: 'gone' });
      expect(await google.calendar.lookUp(ADA, 'a', signal)).toEqual({ found: 'gone' });
    });

    it('believes a 404 only when the calendar itself answers', async () => {
      answers(refusal(404, 'notFound'), eventsPage([], { nextSyncToken: 'S' }));
      expect(await googleAt(server).calendar.lookUp(ADA, 'a', signal)).toEqual({ found: 'gone' });
      answers(refusal(404, 'notFound'));
      const failed = await failureOf(googleAt(server).calendar.lookUp(ADA, 'a', signal));
      expect(failed).toMatchObject({ kind: 'gone', code: 'not_found' });
    });
  });

  it('takes a snapshot of the window without a token', async () => {
    answers(
      eventsPage([single('a')], { nextPageToken: 'P2' }),
      eventsPage([single('b'), { id: 'm_20261201T090000Z', status: 'cancelled' }], {
        nextSyncToken: 'unused',
      }),
    );
    const pages = await all(googleAt(server).calendar.snapshot(ADA, WINDOW, signal));
    expect(ids(pages)).toEqual(['a', 'b']);
    expect(pages[1]?.cancelled).toHaveLength(1);
    expect(Object.fromEntries(server.requests[0]?.query ?? [])).toMatchObject({
      singleEvents: 'true',
      showDeleted: 'true',
      timeMin: '2026-10-17T00:00:00Z',
      timeMax: '2027-03-01T00:00:00Z',
    });
    expect(server.requests[0]?.query.has('syncToken')).toBe(false);
  });

  it('finds the copies of one meeting under every writing of its UID', async () => {
    const outlook = `040000008200E00074C5B7101A82E008${'00000000'}${'01'.repeat(8)}${'00'.repeat(8)}${'10000000'}${'AB'.repeat(16)}`;
    server.handle = (seen) =>
      eventsPage(
        seen.query.get('iCalUID') === outlook.toLowerCase()
          ? [{ ...single('o'), iCalUID: outlook.toLowerCase() }, single('another')]
          : [],
        {},
      );
    const copies = await googleAt(server).calendar.copiesOf(
      ADA,
      { uid: outlook, lineage: outlook, window: WINDOW },
      signal,
    );
    expect(copies.map((copy) => copy.sourceId)).toEqual(['o']);
    expect(server.requests).toHaveLength(2);
  });

  it('reports every request for whoever counts them', async () => {
    answers(refusal(503, 'backendError'), eventsPage([], { nextSyncToken: 'S' }));
    const reports: RequestReport[] = [];
    const google = googleAt(server, { onRequest: (report) => reports.push(report) });
    await all(google.calendar.changes(ADA, null, WINDOW, signal));
    expect(reports).toEqual([
      { provider: 'google', operation: 'events.list', outcome: 'transient', waitedMs: 0 },
      { provider: 'google', operation: 'events.list', outcome: 'ok', waitedMs: 0 },
    ]);
  });
});
