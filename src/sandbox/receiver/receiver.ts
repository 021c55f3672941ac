import { createHash } from 'node:crypto';
import Fastify from 'fastify';
import { PAGE_HEADERS } from '../pages/document.ts';
import { createArrivals } from '../pages/waiting.ts';
import { deliveryPage, listPage } from './receiver-page.ts';
import { type SignatureFault, verifySignature } from './signature.ts';

/** One delivery try as it arrived; a repeat of the same id is a new entry with a higher `attempt`. */
export interface ReceivedWebhook {
  readonly number: number;
  /** The `webhook-id` header; empty when the sender sent none. */
  readonly id: string;
  /** The `type` of the body; empty when the body has none. */
  readonly type: string;
  readonly verified: boolean;
  readonly fault: SignatureFault | null;
  readonly receivedAt: string;
  /** 1 for the first time this id came. */
  readonly attempt: number;
  /** What the receiver answered. */
  readonly answered: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON, or the text itself where it is none. */
  readonly body: unknown;
}

export interface FailurePlan {
  /** `500` and friends for the next `times` deliveries; `stall` takes the request and never answers. */
  readonly answer: number | 'stall';
  /** Absent = until `recover()`. */
  readonly times?: number;
  readonly retryAfterSeconds?: number;
  /** Waits this long before it answers. */
  readonly delayMs?: number;
}

export interface Receiver {
  /** Where to deliver. */
  readonly url: string;
  readonly pageUrl: string;
  readonly secret: string;
  readonly received: () => readonly ReceivedWebhook[];
  readonly waitForWebhook: (
    wanted: (webhook: ReceivedWebhook) => boolean,
    timeoutMs?: number,
  ) => Promise<ReceivedWebhook>;
  readonly fail: (plan: FailurePlan) => void;
  readonly recover: () => void;
  /** Also believes this secret from now on (rotation). */
  readonly trust: (secret: string) => void;
  readonly close: () => Promise<void>;
}

/** A Standard Webhooks secret which the same seed always yields. For the sandbox only: anybody can compute it. */
export function secretFromSeed(seed: number | string): string {
  return `whsec_${createHash('sha256').update(`sandbox webhook secret ${seed}`).digest('base64')}`;
}

/**
 * A webhook endpoint on loopback which believes nobody: it verifies every delivery, keeps all of them, and fails
 * on request. `POST /webhooks` takes deliveries, `GET /` is for people, `GET /received.json` for programs.
 * `now` dates the entries; signatures are checked against real time whatever it says.
 */
export async function startReceiver(options: {
  readonly secret: string;
  readonly now?: () => number;
}): Promise<Receiver> {
  const now = options.now ?? Date.now;
  const secrets = [options.secret];
  const arrivals = createArrivals<ReceivedWebhook>();
  let plan: (FailurePlan & { left: number }) | null = null;

  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024 * 1024 });
  // The signature covers the bytes as sent; parsing and printing them again would not give the same bytes back.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.post('/webhooks', async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const verdict = verifySignature({ secrets, headers: request.headers, body, now: Date.now() });
    const failure = plan !== null && plan.left > 0 ? plan : null;
    if (failure !== null) failure.left -= 1;

    const id = String(request.headers['webhook-id'] ?? '');
    const parsed = parse(body.toString('utf8'));
    // A delivery that does not verify is refused, as a careful receiver does.
    const answered = failure === null ? (verdict.verified ? 204 : 401) : failure.answer;
    arrivals.add({
      number: arrivals.all().length + 1,
      id,
      type: typeOf(parsed),
      verified: verdict.verified,
      fault: verdict.verified ? null : verdict.fault,
      receivedAt: new Date(now()).toISOString(),
      attempt: arrivals.all().filter((earlier) => earlier.id === id).length + 1,
      answered: answered === 'stall' ? 0 : answered,
      headers: plainHeaders(request.headers),
      body: parsed,
    });

    if (answered === 'stall') return reply.hijack();
    if (failure?.delayMs !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, failure.delayMs));
    }
    if (failure?.retryAfterSeconds !== undefined) reply.header('retry-after', failure.retryAfterSeconds);
    return reply.code(answered).send();
  });
  app.get('/received.json', (_request, reply) => reply.send(arrivals.all()));
  app.get('/', (_request, reply) => reply.headers(PAGE_HEADERS).send(listPage(arrivals.all())));
  app.get<{ Params: { number: string } }>('/received/:number', (request, reply) => {
    const webhook = arrivals.all().find((candidate) => String(candidate.number) === request.params.number);
    const page = deliveryPage(webhook);
    return reply
      .code(webhook === undefined ? 404 : 200)
      .headers(PAGE_HEADERS)
      .send(page);
  });

  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `${origin}/webhooks`,
    pageUrl: origin,
    secret: options.secret,
    received: arrivals.all,
    waitForWebhook: (wanted, timeoutMs) => arrivals.waitFor(wanted, 'a webhook', timeoutMs),
    fail: (wanted) => {
      plan = { ...wanted, left: wanted.times ?? Number.POSITIVE_INFINITY };
    },
    recover: () => {
      plan = null;
    },
    trust: (secret) => {
      secrets.push(secret);
    },
    close: async () => {
      arrivals.end();
      await app.close();
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function typeOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('type' in body)) return '';
  return typeof body.type === 'string' ? body.type : '';
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
