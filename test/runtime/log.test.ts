import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Failure, failure } from '../../src/domain/failure.ts';
import { createLog, type Log } from '../../src/runtime/log.ts';

/** Runs `write` with a log and gives the lines that came out. */
function logged(format: 'json' | 'plain', write: (log: Log) => void): string[] {
  const lines: string[] = [];
  write(createLog({ format, level: 'trace', destination: { write: (line) => lines.push(line) } }));
  return lines;
}

function entry(write: (log: Log) => void): Record<string, unknown> {
  const [line] = logged('json', write);
  return JSON.parse(line ?? '') as Record<string, unknown>;
}

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJyb2JvdCJ9.c2lnbmF0dXJl';

describe('the log', () => {
  it('writes one JSON object a line, with level, time and fields', () => {
    expect(
      entry((log) => log.warn({ calendar: 'ada@example.org', lag: 3 }, 'calendar denied')),
    ).toMatchObject({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      calendar: 'ada@example.org',
      lag: 3,
      msg: 'calendar denied',
    });
  });

  it('writes a plain line for a person', () => {
    const [line] = logged('plain', (log) =>
      log
        .child({ calendar: 'ada@example.org' })
        .warn({ err: failure.gone('sync_token_expired'), note: 'two words' }, 'full pass'),
    );
    expect(line?.slice(8)).toBe(
      ' warn  full pass (gone/sync_token_expired) calendar=ada@example.org note="two words"\n',
    );
  });

  it('keeps quiet below its level', () => {
    const lines: string[] = [];
    const log = createLog({
      format: 'json',
      level: 'warn',
      destination: { write: (line) => lines.push(line) },
    });
    log.info('not this');
    log.error('this');
    expect(lines).toHaveLength(1);
  });

  it('tells a failure by kind, code, status and message', () => {
    const error = failure.throttled('rate_limited', {
      provider: 'google',
      status: 429,
      retryAfterMs: 2000,
      detail: 'per user',
    });
    expect(entry((log) => log.info({ err: error }, 'later')).err).toEqual({
      kind: 'throttled',
      code: 'rate_limited',
      provider: 'google',
      status: 429,
      retryAfterMs: 2000,
      message: 'throttled/rate_limited: per user',
    });
  });

  it('tells a bug with the place where it happened, and no message of a foreign error in full', () => {
    const cause = new Error('x'.repeat(500));
    const { err } = entry((log) => log.error({ err: failure.bug('impossible', { cause }) })) as {
      err: { at: string[] };
    };
    expect(err.at[0]).toContain('log.test.ts');
    const foreign = entry((log) => log.error({ err: cause })) as { err: { message: string; kind: string } };
    expect(foreign.err.kind).toBe('unclassified');
    expect(foreign.err.message).toHaveLength(200);
  });

  it('survives cycles, depth, bytes and big numbers', () => {
    const loop: Record<string, unknown> = {
      bytes: Buffer.from('abc'),
      big: 1n,
      map: new Map([['a', 1]]),
      at: new Date(0),
    };
    loop.self = loop;
    const { loop: printed } = entry((log) => log.info({ loop })) as { loop: Record<string, unknown> };
    expect(printed).toMatchObject({
      bytes: '[3 bytes]',
      big: '1',
      map: { a: 1 },
      at: '1970-01-01T00:00:00.000Z',
    });
    expect(JSON.stringify(printed)).toContain('[deeper]');
  });
});

describe('secrets planted in', () => {
  const SECRET = 'hunter2-planted';

  it.each<[string, (log: Log) => void]>([
    ['a field', (log) => log.info({ token: SECRET })],
    ['a deep field', (log) => log.info({ a: { b: [{ refresh_token: SECRET }] } })],
    [
      'a header',
      (log) =>
        log.info({
          headers: { Authorization: SECRET, 'X-Goog-Channel-Token': SECRET, 'set-cookie': [SECRET] },
        }),
    ],
    [
      'a field of another spelling',
      (log) =>
        log.info({
          clientSecret: SECRET,
          'private-key': SECRET,
          webhook_secret: SECRET,
          CADENCED_SEAL_KEYS: SECRET,
        }),
    ],
    ['the bindings of a child', (log) => log.child({ password: SECRET }).info('x')],
    ['the bindings of a grandchild', (log) => log.child({ a: 1 }).child({ assertion: SECRET }).info('x')],
    [
      'an error of a client library',
      (log) =>
        log.error(
          Object.assign(new Error('Request failed'), {
            config: { body: SECRET, headers: { a: SECRET } },
            response: { data: SECRET },
          }),
          'x',
        ),
    ],
    [
      'an error under another name',
      (log) => log.error({ reason: Object.assign(new Error('no'), { request: SECRET }) }),
    ],
    [
      'an error that prints itself',
      (log) => log.error({ err: Object.assign(new Error('no'), { toJSON: () => SECRET }) }),
    ],
    [
      'the cause of an error',
      (log) => log.error({ err: new Failure('bug', 'x', { cause: new Error(SECRET) }) }),
    ],
    ['the message of a bare error', (log) => log.error(new Error(`POST /token?client_secret=${SECRET}`))],
    ['an address', (log) => log.info({ at: `postgres://cadenced:${SECRET}@db.example.org/x` })],
    ['a message', (log) => log.info(`sent Authorization: Bearer ${SECRET}`)],
    [
      'an argument of a message',
      (log) => log.info('tried %s and %o', `refresh_token=${SECRET}`, { cookie: SECRET }),
    ],
    ['an error given to a message', (log) => log.info('failed: %s', new Error(`password=${SECRET}`))],
    ['a signed token', (log) => log.info({ note: `got ${JWT}${SECRET}` })],
    ['a webhook key', (log) => log.info({ note: `whsec_${SECRET.replace('-', '')}` })],
    [
      'a private key',
      (log) => log.info({ note: `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----` }),
    ],
  ])('%s never come out', (_, write) => {
    for (const format of ['json', 'plain'] as const) {
      const text = logged(format, write).join('');
      expect(text).not.toBe('');
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('hunter2');
    }
  });

  it('the raw error of a real client never come out', async () => {
    const server = createServer((_, response) => response.writeHead(401).end(SECRET)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { calendar } = await import('googleapis/build/src/apis/calendar/index.js');
    const client = calendar({
      version: 'v3',
      rootUrl: `http://127.0.0.1:${port}`,
      headers: { Authorization: `Bearer ${SECRET}` },
    });
    const error = await client.events.list({ calendarId: 'primary' }).then(
      () => null,
      (caught: unknown) => caught,
    );
    server.close();
    expect(error).toBeInstanceOf(Error);
    const text = logged('json', (log) => log.error({ err: error }, 'read failed')).join('');
    expect(text).toContain('read failed');
    expect(text).not.toContain(SECRET);
  });
});
