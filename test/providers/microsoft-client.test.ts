import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGraph, PREFER } from '../../src/providers/microsoft/client.ts';
import { createTokenSource } from '../../src/providers/microsoft/credentials.ts';
import { createRequester } from '../../src/providers/microsoft/request.ts';
import { silentLog } from '../../src/runtime/log.ts';
import {
  adapterFor,
  gathered,
  json,
  refuse,
  settingsFor,
  startWireServer,
  thrownBy,
  type WireServer,
} from './microsoft-wire-server.ts';

const ADA = { calendarId: 1, address: 'ada@south.example' };
const WINDOW = { from: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) };
const never = new AbortController().signal;

describe('requests to Graph', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  /** The bare client with a time-out short enough for a test. */
  function graphWithin(timeoutMs: number) {
    const settings = settingsFor(wire);
    const graph = createGraph(settings, {
      tokens: createTokenSource(settings, { log: silentLog() }),
      requester: createRequester(settings, { random: () => 0, sleep: () => Promise.resolve() }),
    });
    return (signal: AbortSignal = never) =>
      graph.get('/users/x', { mailbox: 'x', signal, timeoutMs }).then((answer) => answer.body);
  }

  const snapshot = (adapter: ReturnType<typeof adapterFor>, calendar = ADA) =>
    gathered(adapter.microsoft.calendar.snapshot(calendar, WINDOW, never));

  it('carry the token and the same preferences on every page, over plain http on loopback', async () => {
    wire.graph = (asked, response) =>
      json(response, 200, {
        value: [],
        ...(!asked.url.includes('$skip') && {
          '@odata.nextLink': `${wire.url}/v1.0/users/ada%40south.example/calendarView?$skip=100%2B1%3D&a=b%2Fc`,
        }),
      });
    await snapshot(adapterFor(wire));
    expect(wire.asked).toHaveLength(2);
    for (const { headers } of wire.asked) {
      expect(headers.authorization).toBe('Bearer token-1');
      expect(headers.prefer).toBe(PREFER);
      expect(headers['client-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(wire.asked[1]?.url).toBe('/v1.0/users/ada%40south.example/calendarView?$skip=100%2B1%3D&a=b%2Fc');
    expect(wire.tokensAsked).toHaveLength(1);
  });

  it.each([
    ['another host', 'https://169.254.169.254/v1.0/users/x'],
    ['another port', 'http://127.0.0.1:1/v1.0/users/x'],
    ['another scheme', 'file:///etc/passwd'],
    ['no address', '::'],
  ])('are not sent where a link leads to %s', async (_where, link) => {
    wire.graph = (_asked, response) => json(response, 200, { value: [], '@odata.nextLink': link });
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({
      kind: 'config',
      code: 'foreign_link',
    });
    expect(wire.asked).toHaveLength(1);
  });

  it('do not leave the version for another path of the same origin', async () => {
    const link = `${wire.url}/admin/users`;
    wire.graph = (_asked, response) => json(response, 200, { value: [], '@odata.nextLink': link });
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({ code: 'foreign_link' });
  });

  it('end when a link leads back to itself', async () => {
    const link = `${wire.url}/v1.0/users/ada%40south.example/calendarView?$skip=1`;
    wire.graph = (_asked, response) => json(response, 200, { value: [], '@odata.nextLink': link });
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({ code: 'endless_pages' });
    expect(wire.asked).toHaveLength(2);
  });

  it('do not follow a redirect, which could carry the token away', async () => {
    wire.graph = (_asked, response) => {
      response.writeHead(302, { location: `${wire.url}/elsewhere` }).end();
    };
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({ code: 'unexpected_redirect' });
    expect(wire.asked.every(({ url }) => url.startsWith('/v1.0/'))).toBe(true);
  });

  it.each([
    ['headers', () => undefined],
    [
      'the body',
      (_asked: unknown, response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"value":[');
      },
    ],
  ])('time out when %s never come, and are tried a bounded number of times', async (_what, script) => {
    wire.graph = script;
    expect(await thrownBy(graphWithin(250)())).toMatchObject({ kind: 'transient', code: 'timeout' });
    expect(wire.asked).toHaveLength(5);
  });

  it('recover from a reset, a cut answer, a page of HTML and an empty 500', async () => {
    const faults: WireServer['graph'][] = [
      (_asked, response) => response.destroy(),
      (_asked, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"value":[{"id":');
      },
      (_asked, response) => {
        response.writeHead(504, { 'content-type': 'text/html' }).end('<html>Gateway Timeout</html>');
      },
      (_asked, response) => {
        response.writeHead(500).end();
      },
    ];
    wire.graph = (asked, response) => {
      const fault = faults.shift();
      if (fault) fault(asked, response);
      else json(response, 200, { value: [] });
    };
    const adapter = adapterFor(wire);
    expect(await snapshot(adapter)).toEqual([{ copies: [], cancelled: [] }]);
    expect(adapter.waits).toEqual([250, 500, 1000, 2000]);
  });

  it.each([
    ['an empty object', {}],
    ['a value that is no list', { value: null }],
    ['an error in a success', { error: { code: 'x' } }],
  ])('never take %s for "no events"', async (_what, body) => {
    wire.graph = (_asked, response) => json(response, 200, body);
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({
      kind: 'transient',
      code: 'unreadable_answer',
    });
  });

  it('renew the token once after a 401 and then go on', async () => {
    wire.graph = (asked, response) =>
      asked.headers.authorization === 'Bearer token-1'
        ? refuse(response, 401, 'InvalidAuthenticationToken')
        : json(response, 200, { value: [] });
    await snapshot(adapterFor(wire));
    expect(wire.asked).toHaveLength(2);
    expect(wire.tokensAsked).toHaveLength(2);
  });

  it('give up after a second 401 instead of asking for tokens for ever', async () => {
    wire.graph = (_asked, response) => refuse(response, 401, 'InvalidAuthenticationToken');
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({ kind: 'auth', status: 401 });
    expect(wire.asked).toHaveLength(2);
  });

  it('hand a long Retry-After to the scheduler and leave that mailbox alone, not the others', async () => {
    wire.graph = (asked, response) =>
      asked.url.includes('ada')
        ? refuse(response, 429, 'ApplicationThrottled', { 'retry-after': '300' })
        : json(response, 200, { value: [] });
    const adapter = adapterFor(wire);
    const first = await thrownBy(snapshot(adapter));
    expect(first).toMatchObject({ kind: 'throttled', retryAfterMs: 300_000, status: 429 });
    const second = await thrownBy(snapshot(adapter));
    expect(second).toMatchObject({ kind: 'throttled', retryAfterMs: 300_000 });
    expect(wire.asked).toHaveLength(1);
    await snapshot(adapter, { calendarId: 2, address: 'bo@south.example' });
    expect(wire.asked).toHaveLength(2);
    expect(adapter.waits).toEqual([]);
  });

  it('wait by themselves when throttled shortly, longer each time where no time is told', async () => {
    let answers = 0;
    wire.graph = (_asked, response) => {
      answers += 1;
      if (answers <= 3)
        refuse(response, 429, 'ApplicationThrottled', answers === 1 ? { 'retry-after': '1' } : {});
      else json(response, 200, { value: [] });
    };
    const adapter = adapterFor(wire);
    await snapshot(adapter);
    expect(adapter.waits).toEqual([1000, 500, 1000]);
  });

  it.each([
    ['both', '300'],
    ['one of two', '1'],
    ['one of two, the other without a time,', undefined],
  ])(
    'wait in the queue of a mailbox that was throttled for long by %s before their turn came',
    async (_, second) => {
      let answers = 0;
      const held: (() => void)[] = [];
      wire.graph = (_asked, response) => {
        answers += 1;
        const wait = answers === 1 ? '300' : second;
        const headers: Record<string, string> = wait === undefined ? {} : { 'retry-after': wait };
        // The long wait is told first, and both requests were under way by then.
        if (answers <= 2) held.push(() => refuse(response, 429, 'ApplicationThrottled', headers));
        if (answers === 2) for (const answer of held) answer();
        if (answers <= 2) return;
        json(response, 200, { value: [] });
      };
      const adapter = adapterFor(wire);
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => thrownBy(snapshot(adapter))));
      expect(outcomes).toHaveLength(20);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'throttled' });
      expect(wire.asked).toHaveLength(2);
    },
  );

  it('hand back a constant 429 after a bounded number of requests', async () => {
    wire.graph = (_asked, response) => refuse(response, 429, 'ApplicationThrottled', { 'retry-after': '1' });
    const failed = await thrownBy(snapshot(adapterFor(wire)));
    expect(failed).toMatchObject({ kind: 'throttled' });
    expect(wire.asked).toHaveLength(5);
  });

  it('tell the scheduler how long a 503 wants to be left alone', async () => {
    wire.graph = (_asked, response) => refuse(response, 503, 'MailboxInfoStale', { 'retry-after': '120' });
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({
      kind: 'throttled',
      retryAfterMs: 120_000,
    });
  });

  it('keep at most two in flight for a mailbox and the cap for all', async () => {
    let inFlight = 0;
    let most = 0;
    const perMailbox = new Map<string, number>();
    let mostOfOne = 0;
    wire.graph = (asked, response) => {
      const mailbox = asked.url.split('/')[3] ?? '';
      inFlight += 1;
      perMailbox.set(mailbox, (perMailbox.get(mailbox) ?? 0) + 1);
      most = Math.max(most, inFlight);
      mostOfOne = Math.max(mostOfOne, perMailbox.get(mailbox) ?? 0);
      setTimeout(() => {
        inFlight -= 1;
        perMailbox.set(mailbox, (perMailbox.get(mailbox) ?? 1) - 1);
        json(response, 200, { value: [] });
      }, 5);
    };
    const adapter = adapterFor(wire, { maxInFlight: 3 });
    const calendars = Array.from({ length: 30 }, (_, index) => ({
      calendarId: index,
      address: `person${index % 3}@south.example`,
    }));
    await Promise.all(calendars.map((calendar) => snapshot(adapter, calendar)));
    expect(most).toBe(3);
    expect(mostOfOne).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 10 }, () => snapshot(adapter)));
    expect(mostOfOne).toBe(2);
    expect(wire.tokensAsked).toHaveLength(1);
  });

  it('stop at once when the caller aborts, for whatever reason', async () => {
    const stop = new AbortController();
    wire.graph = () => stop.abort(new Error('shutting down'));
    expect(await thrownBy(graphWithin(30_000)(stop.signal))).toMatchObject({
      kind: 'transient',
      code: 'aborted',
    });
    expect(wire.asked).toHaveLength(1);
  });

  it('reach a mailbox whose address is not its principal name by the object id', async () => {
    const id = '11111111-2222-4333-8444-555555555555';
    wire.graph = (asked, response) => {
      if (asked.url.startsWith(`/v1.0/users/${id}/`)) json(response, 200, { value: [] });
      else if (asked.url.startsWith('/v1.0/users?'))
        json(response, 200, { value: [{ id, mail: ADA.address }] });
      else
        refuse(
          response,
          404,
          asked.url.includes('calendarView') ? 'ErrorInvalidUser' : 'Request_ResourceNotFound',
        );
    };
    const adapter = adapterFor(wire);
    await snapshot(adapter);
    await snapshot(adapter);
    expect(wire.asked.filter(({ url }) => url.startsWith(`/v1.0/users/${id}/`))).toHaveLength(2);
    expect(wire.asked).toHaveLength(5);
  });

  it('say that a user is gone only after all addresses were searched', async () => {
    wire.graph = (asked, response) => {
      if (asked.url.startsWith('/v1.0/users?')) json(response, 200, { value: [] });
      else
        refuse(
          response,
          404,
          asked.url.includes('calendarView') ? 'ErrorInvalidUser' : 'Request_ResourceNotFound',
        );
    };
    expect(await thrownBy(snapshot(adapterFor(wire)))).toMatchObject({ kind: 'gone', code: 'user_gone' });
  });
});
