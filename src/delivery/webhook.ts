import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { DateTime } from 'luxon';
import { Webhook } from 'standardwebhooks';
import type { DeliveryResult } from '../domain/delivery-schedule.ts';
import type { WebhookEndpoint, WebhookMessage, WebhookTransport } from '../ports/webhook-transport.ts';
import { createEgressGuard, type EgressGuard } from './egress.ts';

export type WebhookTransportOptions = {
  /** The CIDRs of CADENCED_WEBHOOK_ALLOW: private receivers that the operator vouches for. */
  readonly allow: readonly string[];
  /** For the whole attempt, DNS and TLS included. Standard Webhooks recommends 15 to 30 s. */
  readonly timeoutMs?: number;
  readonly userAgent?: string;
};

const TIMEOUT_MS = 20_000;
/** Answers are not read for their content; this much is drained so that an honest receiver sees no reset. */
const RESPONSE_CAP_BYTES = 64 * 1024;
const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = { least: 24, most: 64 };

/** Delivers by Standard Webhooks 1.0. Redirects are not followed: they would leave the judged address. */
export function createWebhookTransport(options: WebhookTransportOptions): WebhookTransport {
  const guard = createEgressGuard(options.allow);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const userAgent = options.userAgent ?? 'cadenced';
  return {
    async deliverOnce(endpoint, message, now) {
      let headers: Record<string, string>;
      try {
        headers = signedHeaders(endpoint, message, now);
      } catch {
        // The library's message may quote the secret.
        return { outcome: 'retry', error: 'secret_invalid' };
      }
      const deadline = AbortSignal.timeout(timeoutMs);
      const body = Buffer.from(message.body, 'utf8');
      const all = { ...headers, 'user-agent': userAgent, 'content-length': String(body.length) };
      try {
        return await attempt(guard, endpoint.url, all, body, deadline, now);
      } catch (error) {
        return { outcome: 'retry', error: deadline.aborted ? 'timeout' : networkCode(error) };
      }
    },
  };
}

/**
 * The headers that prove a message, one signature for each secret.
 * @throws Error when a secret is not `whsec_` and base64 of 24 to 64 bytes.
 */
export function signedHeaders(
  endpoint: Pick<WebhookEndpoint, 'secrets' | 'contentType'>,
  message: WebhookMessage,
  now: DateTime,
): Record<string, string> {
  if (endpoint.secrets.length === 0) throw new RangeError('an endpoint has at least one secret');
  // The signature covers whole seconds, and so must the header.
  const at = DateTime.fromSeconds(Math.floor(now.toSeconds()));
  const signatures = endpoint.secrets.map((secret) => {
    if (!isWebhookSecret(secret))
      throw new RangeError('a webhook secret is whsec_ and base64 of 24-64 bytes');
    return new Webhook(secret).sign(message.id, at.toJSDate(), message.body);
  });
  return {
    'content-type': endpoint.contentType,
    'webhook-id': message.id,
    'webhook-timestamp': String(at.toSeconds()),
    'webhook-signature': signatures.join(' '),
  };
}

/** Whether a text is a symmetric Standard Webhooks secret: `whsec_` and the base64 of 24 to 64 bytes. */
export function isWebhookSecret(secret: string): boolean {
  if (!secret.startsWith(SECRET_PREFIX)) return false;
  const encoded = secret.slice(SECRET_PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer skips what is not base64; only an exact round trip signs with the key that the receiver holds.
  return (
    bytes.toString('base64') === encoded &&
    bytes.length >= SECRET_BYTES.least &&
    bytes.length <= SECRET_BYTES.most
  );
}

async function attempt(
  guard: EgressGuard,
  url: string,
  headers: Record<string, string>,
  body: Buffer,
  signal: AbortSignal,
  now: DateTime,
): Promise<DeliveryResult> {
  const egress = await withDeadline(guard(url), signal);
  if (!egress.allowed) return { outcome: 'retry', error: egress.reason };
  const send = egress.scheme === 'https' ? httpsRequest : httpRequest;
  return new Promise<DeliveryResult>((resolve, reject) => {
    const request: ClientRequest = send(url, { ...egress.options, method: 'POST', headers, signal });
    // Once the status line is here it decides: a body that breaks off or drips until the deadline must not
    // turn a delivered event into a repeated one.
    let answer: IncomingMessage | null = null;
    request.on('error', (error) => (answer === null ? reject(error) : resolve(classify(answer, now))));
    request.on('response', (response) => {
      answer = response;
      drain(response, () => resolve(classify(response, now)));
    });
    request.end(body);
  });
}

/** Calls back once the answer has ended, broken off or grown too long: the status line has decided already. */
function drain(response: IncomingMessage, done: () => void): void {
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > RESPONSE_CAP_BYTES) response.destroy();
  });
  response.on('error', done);
  response.on('close', done);
}

function classify(response: IncomingMessage, now: DateTime): DeliveryResult {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  if (status === 410) return { outcome: 'disable', status, error: 'http_410' };
  const error = status >= 300 && status < 400 ? 'redirect' : `http_${status}`;
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  return { outcome: 'retry', status, error, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}

/** Retry-After as milliseconds from `now`: whole seconds or an HTTP date (RFC 9110 §10.2.3), else null. */
export function parseRetryAfter(header: string | undefined, now: DateTime): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = DateTime.fromHTTP(text, { zone: 'utc' });
  return at.isValid ? Math.max(0, at.diff(now).toMillis()) : null;
}

/** Ends the wait for DNS, which cannot be aborted, at the deadline. */
async function withDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

const NETWORK_CODES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
};

function networkCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code === 'string') {
    const known = NETWORK_CODES[code];
    if (known !== undefined) return known;
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_)/.test(code)) return 'tls';
    if (code.startsWith('HPE_')) return 'not_http';
    return 'network';
  }
  // The filtering agent refuses with a bare Error that carries no code; nothing else on this path does.
  return error instanceof Error ? 'address_not_allowed' : 'network';
}
