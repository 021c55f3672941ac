import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventPage } from '../../src/http/events.ts';
import type { NotificationAnswer } from '../../src/http/notifications.ts';
import { createHttpServer, type HttpServer, type HttpServerDeps } from '../../src/http/server.ts';
import { createLog } from '../../src/runtime/log.ts';
import { sampleEvent } from '../delivery/outbound-samples.ts';

type Call = { provider: string; headers: Record<string, string | undefined>; query: unknown; body: unknown };

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function serve(changes: Partial<HttpServerDeps> = {}) {
  const calls: Call[] = [];
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: createLog({ format: 'json', level: 'info', destination }),
    acceptNotification: async (provider, headers, query, body): Promise<NotificationAnswer> => {
      calls.push({ provider, headers, query, body });
      return { status: 202 };
    },
    isReady: async () => true,
    readFreshness: async () => ({ isFresh: true, calendars: 2, stale: 0, oldestCompletePassAt: null }),
    events: async () => [],
    eventsToken: null,
    metrics: null,
    ...changes,
  });
  running.push(server);
  await server.listen();
  return { url: server.url, server, calls, lines };
}

const post = (url: string, init: RequestInit = {}) => fetch(url, { method: 'POST', ...init });

describe('the handshake of Microsoft', () => {
  it('repeats the decoded token exactly, as inert text, without asking the handler', async () => {
    const { url, calls } = await serve();
    const response = await post(`${url}/notifications/microsoft?validationToken=a%3Ab%20%3Cscript%3E+c`, {
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('a:b <script> c');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
    expect(calls).toHaveLength(0);
  });

  it.each([
    ['empty', 'validationToken='],
    ['longer than 4 KiB', `validationToken=${'x'.repeat(4097)}`],
    ['a line break', 'validationToken=a%0d%0aSet-Cookie:b'],
    ['an escape sequence', 'validationToken=%1b%5b2J'],
    ['given twice', 'validationToken=a&validationToken=b'],
  ])('refuses a token that is %s', async (_name, query) => {
    const { url, calls } = await serve();
    const response = await post(`${url}/notifications/microsoft?${query}`);
    expect([response.status, await response.text()]).toEqual([400, '{"error":"bad_request"}']);
    expect(calls).toHaveLength(0);
  });
});

describe('notifications', () => {
  it('of Google reach the handler by their headers, without a body', async () => {
    const { url, calls } = await serve();
    const headers = { 'X-Goog-Channel-ID': 'c-1', 'X-Goog-Resource-State': 'exists' };
    expect((await post(`${url}/notifications/google`, { headers })).status).toBe(202);
    expect(calls).toMatchObject([{ provider: 'google', body: undefined }]);
    expect(calls[0]?.headers).toMatchObject({
      'x-goog-channel-id': 'c-1',
      'x-goog-resource-state': 'exists',
    });
  });

  it('of Microsoft reach it as JSON, hundreds in one body', async () => {
    const { url, calls } = await serve();
    const item = { subscriptionId: 'x'.repeat(36), clientState: 's'.repeat(128), resource: 'r'.repeat(400) };
    const body = { value: Array.from({ length: 500 }, () => item) };
    const response = await post(`${url}/notifications/microsoft`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(202);
    expect(calls[0]?.body).toEqual(body);
  });

  it.each([
    ['malformed JSON', '{"value":[', 400],
    ['no body', '', 400],
    ['2 MiB', 'x'.repeat(2 * 1024 * 1024), 413],
  ])('with %s are refused before the handler', async (_name, body, status) => {
    const { url, calls } = await serve();
    const response = await post(`${url}/notifications/microsoft`, { body });
    expect(response.status).toBe(status);
    expect(calls).toHaveLength(0);
  });

  it('are bounded on the route of Google, which needs no body', async () => {
    const { url } = await serve();
    const response = await post(`${url}/notifications/google`, { body: 'x'.repeat(65 * 1024) });
    expect(response.status).toBe(413);
  });

  it('that could not be recorded are asked for again, and nothing inside is told', async () => {
    const { url, lines } = await serve({
      acceptNotification: async () => {
        throw new Error('no connection to postgres://user:planted@db');
      },
    });
    const response = await post(`${url}/notifications/google?planted=1`);
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('{"error":"unavailable"}');
    expect(response.headers.get('retry-after')).toBe('5');
    expect(lines.join('')).toContain('/notifications/google');
    expect(lines.join('')).not.toContain('planted');
  });

  it('carry what the handler answers', async () => {
    const { url } = await serve({
      acceptNotification: async () => ({ status: 200, body: 'seen', contentType: 'text/plain' }),
    });
    const response = await post(`${url}/notifications/google`);
    expect([response.status, await response.text()]).toEqual([200, 'seen']);
  });

  it('beyond the limit of one address are to be sent again, and one provider does not use up the other', async () => {
    const { url, calls, lines } = await serve({ limits: { notifications: 3, others: 1 } });
    for (const [provider, body] of [
      ['google', undefined],
      ['microsoft', '{"value":[]}'],
    ] as const) {
      const answers = [];
      for (let index = 0; index < 5; index++) {
        answers.push(await post(`${url}/notifications/${provider}`, body === undefined ? {} : { body }));
      }
      // Google drops for good what is answered with anything but 5xx.
      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 503, 503]);
      expect(await answers.at(-1)?.text()).toBe('{"error":"unavailable"}');
      expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(calls).toHaveLength(6);
    // A flood does not fill the log.
    expect(lines).toEqual([]);
    expect((await fetch(`${url}/events`)).status).toBe(200);
    expect((await fetch(`${url}/events`)).status).toBe(429);
  });
});

describe('health', () => {
  it('lives whatever the database does, and is ready only when the check says so', async () => {
    const { url } = await serve({ isReady: () => Promise.reject(new Error('planted')) });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, '{"status":"not_ready"}']);
  });

  it('a check that hangs is answered 503', async () => {
    const { url } = await serve({
      isReady: () => new Promise(() => undefined),
      readFreshness: () => new Promise(() => undefined),
      patienceMs: 30,
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/freshness`)).status).toBe(503);
  });

  it('asks once for many probes', async () => {
    let asked = 0;
    const { url } = await serve({
      isReady: async () => {
        asked++;
        return true;
      },
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/readyz`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(asked).toBe(1);
  });

  it('tells lost sight by counts only', async () => {
    const { url } = await serve({
      readFreshness: async () => ({
        isFresh: false,
        calendars: 40,
        stale: 3,
        oldestCompletePassAt: '2026-11-21T10:00:00.000Z',
      }),
    });
    const response = await fetch(`${url}/freshness`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'sight_lost',
      calendars: 40,
      stale: 3,
      oldest_complete_pass_at: '2026-11-21T10:00:00.000Z',
    });
  });
});

describe('GET /events', () => {
  const event = sampleEvent('session.judged');
  const stored: EventPage = ['8', '9', '9007199254740993'].map((position) => ({ position, event }));
  const events = async (after: string, limit: number) =>
    stored.filter(({ position }) => BigInt(position) > BigInt(after)).slice(0, limit);

  it('pages forward by position, to positions beyond what a number holds', async () => {
    const { url } = await serve({ events });
    const first = (await (await fetch(`${url}/events?limit=2`)).json()) as {
      events: unknown[];
      next: string;
    };
    expect(first.next).toBe('9');
    expect(first.events).toEqual([
      { position: '8', ...event },
      { position: '9', ...event },
    ]);
    const rest = (await (await fetch(`${url}/events?after=${first.next}`)).json()) as typeof first;
    expect(rest).toEqual({ events: [{ position: '9007199254740993', ...event }], next: '9007199254740993' });
    const none = await (await fetch(`${url}/events?after=${rest.next}`)).json();
    expect(none).toEqual({ events: [], next: '9007199254740993' });
  });

  it.each([
    'after=-1',
    'after=1.5',
    'after=x',
    'after=1&after=2',
    'after=99999999999999999999',
    'limit=0',
    'limit=1001',
  ])('refuses ?%s', async (query) => {
    const { url } = await serve({ events });
    expect((await fetch(`${url}/events?${query}`)).status).toBe(400);
  });

  it.each([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer wrong' }, 401],
    ['another scheme', { authorization: 'Basic planted' }, 401],
    ['the token', { authorization: 'Bearer planted' }, 200],
  ])('with a token set, %s', async (_name, headers: Record<string, string>, status) => {
    const { url } = await serve({ events, eventsToken: 'planted' });
    const response = await fetch(`${url}/events`, { headers });
    expect(response.status).toBe(status);
    if (status === 401) expect(await response.text()).toBe('{"error":"unauthorized"}');
  });

  it('without a token is closed to what comes through a proxy on this machine', async () => {
    const { url } = await serve({ events });
    for (const header of ['x-forwarded-for', 'forwarded']) {
      expect((await fetch(`${url}/events`, { headers: { [header]: '203.0.113.9' } })).status).toBe(401);
    }
  });
});

describe('what strangers see', () => {
  it.each([
    ['an unknown path', '/etc/passwd', 404, '{"error":"not_found"}'],
    ['a path that cannot be decoded', '/%zz', 400, '{"error":"bad_request"}'],
    ['no robots.txt, which Google would obey', '/robots.txt', 404, '{"error":"not_found"}'],
  ])('%s', async (_name, path, status, body) => {
    const { url } = await serve();
    const response = await fetch(url + path);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it.each([
    ['says nothing', ''],
    ['drips its headers', 'POST /notifications/google HTTP/1.1\r\nHost: x\r\nX-Drip: '],
    ['drips its body', 'POST /notifications/microsoft HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n'],
  ])('a caller who %s loses the connection', async (_name, start) => {
    const { url, calls } = await serve({ limits: { requestTimeoutMs: 200 } });
    const began = performance.now();
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(start));
    const drip = setInterval(() => start !== '' && socket.write('x'), 20);
    try {
      await new Promise<void>((resolve) => {
        socket.resume();
        // A write into the closed connection is how some of these end.
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
      });
    } finally {
      clearInterval(drip);
    }
    expect(performance.now() - began).toBeLessThan(5000);
    expect(calls).toHaveLength(0);
  });

  it('bytes that are no HTTP end the connection without a word about what is inside', async () => {
    const { url } = await serve();
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
        socket.write('\u0016\u0003 hello\r\n\r\n'),
      );
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(answer).not.toMatch(/stack|node_modules|fastify/i);
  });
});

describe('metrics', () => {
  it('are served on a loopback listener of their own and nowhere else', async () => {
    const registry = new Registry();
    registry.registerMetric(
      new (await import('prom-client')).Counter({ name: 'planted_total', help: 'x', registers: [] }),
    );
    const { url, server } = await serve({ metrics: { port: 0, registry } });
    const metricsUrl = server.metricsUrl ?? '';
    expect(new URL(metricsUrl).hostname).toBe('127.0.0.1');
    const response = await fetch(`${metricsUrl}/metrics`);
    expect(await response.text()).toContain('planted_total 0');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/healthz`)).status).toBe(404);
  });

  it('a taken metrics port leaves no public listener behind', async () => {
    const registry = new Registry();
    const first = await serve({ metrics: { port: 0, registry } });
    const taken = Number(new URL(first.server.metricsUrl ?? '').port);
    const second = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      log: createLog({ format: 'json', level: 'silent' }),
      acceptNotification: async () => ({ status: 202 }),
      isReady: async () => true,
      readFreshness: async () => ({ isFresh: true, calendars: 0, stale: 0, oldestCompletePassAt: null }),
      events: async () => [],
      eventsToken: null,
      metrics: { port: taken, registry },
    });
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(() => second.url).toThrow('does not listen');
  });
});

describe('closing', () => {
  it('answers what is under way first', async () => {
    let release: (() => void) | undefined;
    const reached = Promise.withResolvers<void>();
    const { url, server } = await serve({
      acceptNotification: () =>
        new Promise((resolve) => {
          release = () => resolve({ status: 202 });
          reached.resolve();
        }),
    });
    const pending = post(`${url}/notifications/google`);
    await reached.promise;
    const closed = server.close();
    release?.();
    expect((await pending).status).toBe(202);
    await closed;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
