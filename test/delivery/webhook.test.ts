import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DateTime } from 'luxon';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { createEgressGuard } from '../../src/delivery/egress.ts';
import {
  createWebhookTransport,
  isWebhookSecret,
  parseRetryAfter,
  signedHeaders,
} from '../../src/delivery/webhook.ts';

const OLD_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const message = { id: 'evt_1', body: '{"type":"session.judged","data":{"title":"Grüße"}}' };

type Seen = { headers: IncomingMessage['headers']; body: string; url: string };
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];

async function receiver(answer: Answer): Promise<{ url: string; seen: Seen[]; port: number }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), url: request.url ?? '' });
      answer(request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, seen, port };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end();
  };

function endpoint(url: string, secrets: readonly string[] = [OLD_SECRET]) {
  return { url, secrets, contentType: 'application/json' as const };
}

async function deliver(answer: Answer, timeoutMs?: number) {
  const { url, seen } = await receiver(answer);
  const transport = createWebhookTransport({ allow: LOOPBACK, ...(timeoutMs ? { timeoutMs } : {}) });
  const result = await transport.deliverOnce(endpoint(url), message, DateTime.utc());
  return { result, seen };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('signing', () => {
  it('matches the golden vector of the specification', () => {
    const headers = signedHeaders(
      endpoint('https://example.org'),
      { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' },
      DateTime.fromSeconds(1614265330.987),
    );
    expect(headers).toMatchObject({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('lets a receiver verify with the old and with the new secret while they rotate, over the stored bytes', async () => {
    const { url, seen } = await receiver(status(204));
    const transport = createWebhookTransport({ allow: LOOPBACK });
    const result = await transport.deliverOnce(
      endpoint(url, [NEW_SECRET, OLD_SECRET]),
      message,
      DateTime.utc(),
    );
    expect(result).toEqual({ outcome: 'delivered', status: 204 });
    const [request] = seen;
    expect(request?.body).toBe(message.body);
    expect(request?.headers['content-type']).toBe('application/json');
    const headers = request?.headers as Record<string, string>;
    for (const secret of [NEW_SECRET, OLD_SECRET]) {
      expect(new Webhook(secret).verify(message.body, headers)).toEqual(JSON.parse(message.body));
    }
    expect(() => new Webhook(OLD_SECRET).verify(`${message.body} `, headers)).toThrow(
      'No matching signature',
    );
    const stranger = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
    expect(() => new Webhook(stranger).verify(message.body, headers)).toThrow('No matching signature');
  });

  it.each([
    ['without the prefix', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', false],
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`, false],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`, false],
    ['not base64', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', false],
    ['24 bytes', OLD_SECRET, true],
    ['64 bytes', `whsec_${Buffer.alloc(64).toString('base64')}`, true],
  ])('judges a secret %s', (_name, secret, expected) => {
    expect(isWebhookSecret(secret)).toBe(expected);
  });

  it('reports a bad secret without telling it', async () => {
    const { url, seen } = await receiver(status(200));
    const transport = createWebhookTransport({ allow: LOOPBACK });
    const result = await transport.deliverOnce(endpoint(url, ['whsec_planted']), message, DateTime.utc());
    expect(result).toEqual({ outcome: 'retry', error: 'secret_invalid' });
    expect(seen).toHaveLength(0);
  });
});

describe('what an answer means', () => {
  it.each([
    [200, { outcome: 'delivered', status: 200 }],
    [299, { outcome: 'delivered', status: 299 }],
    [410, { outcome: 'disable', status: 410, error: 'http_410' }],
    [400, { outcome: 'retry', status: 400, error: 'http_400' }],
    [500, { outcome: 'retry', status: 500, error: 'http_500' }],
  ])('%i', async (code, expected) => {
    expect((await deliver(status(code))).result).toEqual(expected);
  });

  it.each([429, 502, 503, 504])('%i with Retry-After asks for patience', async (code) => {
    const { result } = await deliver(status(code, { 'retry-after': '120' }));
    expect(result).toEqual({ outcome: 'retry', status: code, error: `http_${code}`, retryAfterMs: 120_000 });
  });

  it('a redirect is a failure and is not followed', async () => {
    const elsewhere = await receiver(status(200));
    const { result } = await deliver(status(307, { location: elsewhere.url }));
    expect(result).toEqual({ outcome: 'retry', status: 307, error: 'redirect' });
    expect(elsewhere.seen).toHaveLength(0);
  });

  it('an endless body after a 2xx is delivered, not repeated', async () => {
    const { result } = await deliver((_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(16 * 1024, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    });
    expect(result).toEqual({ outcome: 'delivered', status: 200 });
  });

  it('a body that never ends after a 2xx is delivered at the deadline', async () => {
    const { result } = await deliver((_request, response) => {
      response.writeHead(202);
      response.write('…');
    }, 150);
    expect(result).toEqual({ outcome: 'delivered', status: 202 });
  });

  it('silence is a time-out', async () => {
    const { result } = await deliver(() => undefined, 150);
    expect(result).toEqual({ outcome: 'retry', error: 'timeout' });
  });

  it('a connection cut before the answer is a retry', async () => {
    const { result } = await deliver((request) => request.socket.destroy());
    expect(result).toEqual({ outcome: 'retry', error: 'connection_reset' });
  });

  it('nobody listening is a retry', async () => {
    const { port } = await receiver(status(200));
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    const transport = createWebhookTransport({ allow: LOOPBACK });
    const result = await transport.deliverOnce(
      endpoint(`http://127.0.0.1:${port}/`),
      message,
      DateTime.utc(),
    );
    expect(result).toEqual({ outcome: 'retry', error: 'connection_refused' });
  });

  it('plain http where TLS was asked for is named', async () => {
    const { url } = await receiver(status(200));
    const transport = createWebhookTransport({ allow: LOOPBACK });
    const result = await transport.deliverOnce(
      endpoint(url.replace('http:', 'https:')),
      message,
      DateTime.utc(),
    );
    expect(result).toEqual({ outcome: 'retry', error: 'tls' });
  });
});

describe('where an event may go', () => {
  const LOOPBACK_SPELLINGS = [
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
    'localhost',
  ];

  it.each(LOOPBACK_SPELLINGS)('https://%s reaches nobody without an allow list', async (host) => {
    const { port, seen } = await receiver(status(200));
    const transport = createWebhookTransport({ allow: [] });
    const result = await transport.deliverOnce(endpoint(`https://${host}:${port}/`), message, DateTime.utc());
    expect(result).toEqual({ outcome: 'retry', error: 'address_not_allowed' });
    expect(seen).toHaveLength(0);
  });

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fd00::1]',
    '[fe80::1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ])('https://%s is refused although loopback is allowed', async (host) => {
    const transport = createWebhookTransport({ allow: LOOPBACK, timeoutMs: 2000 });
    const result = await transport.deliverOnce(endpoint(`https://${host}/`), message, DateTime.utc());
    expect(result).toEqual({ outcome: 'retry', error: 'address_not_allowed' });
  });

  it.each([
    ['plain http without an allow list', [], 'http://127.0.0.1/'],
    ['plain http to a listed network that is not this machine', ['10.0.0.0/8'], 'http://10.1.2.3/'],
    ['plain http to the public', LOOPBACK, 'http://192.0.2.1/'],
    ['credentials in the URL', LOOPBACK, 'https://user:secret@127.0.0.1/'],
    ['another scheme', LOOPBACK, 'file:///etc/passwd'],
    ['no URL', LOOPBACK, 'receiver'],
  ])('refuses %s', async (_name, allow, url) => {
    expect(await createEgressGuard(allow)(url)).toEqual({ allowed: false, reason: 'url_not_allowed' });
  });

  it('pins a listed receiver to the addresses that were judged', async () => {
    const egress = await createEgressGuard(['10.0.0.0/8', 'fd00::/8'])('https://10.1.2.3/hook');
    expect(egress.allowed).toBe(true);
    const lookup = egress.allowed ? egress.options.lookup : undefined;
    const answer = await new Promise((resolve) =>
      lookup?.('rebound.example', { all: true }, (_error, addresses) => resolve(addresses)),
    );
    expect(answer).toEqual([{ address: '10.1.2.3', family: 4 }]);
  });

  it('names an allow entry that is no address', () => {
    expect(() => createEgressGuard(['10.0.0.0/33'])).toThrow('10.0.0.0/33 is neither an address nor a CIDR');
  });
});

describe('Retry-After', () => {
  const now = DateTime.fromISO('2026-11-21T18:00:00Z');
  it.each([
    ['90', 90_000],
    ['Sat, 21 Nov 2026 18:01:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 17:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    [undefined, null],
  ])('%s', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});
