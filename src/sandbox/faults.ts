import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createRequestLog, type RequestLog } from './request-log.ts';
import { createRandom } from './world/random.ts';

/** How a provider misbehaves. What a body looks like is up to the provider's own server. */
export type Fault =
  /** An error in the provider's own words: 401, 403, 404, 410, 429, 500, 503… `reason` is its code for it. */
  | { kind: 'status'; status: number; reason?: string; retryAfter?: number | string }
  /** A proxy's page instead of JSON. */
  | { kind: 'html'; status: number }
  /** The cursor in the request is refused as expired. */
  | { kind: 'expired_cursor' }
  /** A good answer cut in the middle, with status 200 and a fitting length. */
  | { kind: 'truncated' }
  /** `{}` with status 200. */
  | { kind: 'empty_object' }
  /** A page without entries that still names a next page. */
  | { kind: 'empty_page' }
  /** A page that begins with the entries of the one before. */
  | { kind: 'repeated_page' }
  /** A page that names a next page and ends the list, or does neither. */
  | { kind: 'tokens'; shows: 'both' | 'none' }
  /** The answer never begins, or never ends. */
  | { kind: 'stall'; where: 'headers' | 'body' }
  /** The connection is torn. */
  | { kind: 'reset' }
  /** The answer takes this many real milliseconds. */
  | { kind: 'delay'; ms: number }
  /**
   * The answer is made, and what `give` comes to is sent: the same one late, when what it tells is old by then, or one
   * that was made before, as a replica gives that lags behind. Within the process only.
   */
  | { kind: 'late'; give: (answer: string) => Promise<string> };

export interface FaultRule {
  provider?: string;
  /** Matched against path and query as sent; a text is read as a regular expression. */
  path?: RegExp | string;
  method?: string;
  /** Only for this calendar's requests (primary address). */
  mailbox?: string;
  /** How many matching requests go through first. */
  skip?: number;
  /** How many are hit after that; unlimited when absent. */
  times?: number;
  /** The share of matching requests that is hit, for runs by chance; all when absent. */
  probability?: number;
  fault: Fault;
}

export interface Faults {
  /** Adds a rule; the newest matching one wins. Gives its id. */
  add(rule: FaultRule): string;
  remove(id: string): void;
  clear(): void;
  /** The rules with how many requests they matched and hit. */
  rules(): (FaultRule & { id: string; seen: number; hits: number })[];
  /** The fault for one request, if any; counts. */
  match(request: { provider: string; method: string; url: string; mailbox: string | null }): Fault | null;
  readonly log: RequestLog;
}

/** Builds an empty set of fault rules with its request log. The seed steers rules that go by chance. */
export function createFaults(options: { seed?: number; now?: () => number } = {}): Faults {
  const random = createRandom(options.seed ?? 1).fork('faults');
  const rules = new Map<string, FaultRule & { id: string; seen: number; hits: number }>();
  let added = 0;
  return {
    log: createRequestLog(options.now ?? Date.now),
    add(rule) {
      added += 1;
      const id = `f${added}`;
      rules.set(id, { ...rule, id, seen: 0, hits: 0 });
      return id;
    },
    remove: (id) => void rules.delete(id),
    clear: () => rules.clear(),
    rules: () => [...rules.values()],
    match(request) {
      for (const rule of [...rules.values()].reverse()) {
        if (!applies(rule, request)) continue;
        rule.seen += 1;
        if (rule.seen <= (rule.skip ?? 0)) continue;
        if (rule.times !== undefined && rule.hits >= rule.times) continue;
        if (rule.probability !== undefined && random.next() >= rule.probability) continue;
        rule.hits += 1;
        return rule.fault;
      }
      return null;
    },
  };
}

export interface FaultWiring {
  faults: Faults;
  provider: string;
  /** Whose calendar a request is about, as far as can be told before it is served. */
  mailboxOf(request: FastifyRequest): string | null;
  /** The quota user the request names. */
  quotaUserOf?(request: FastifyRequest): string | null;
  /** The provider's error body for a status. */
  errorBody(status: number, reason: string | undefined, request: FastifyRequest): unknown;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** A fault that the route itself has to act out: `expired_cursor`, and those of pages, where a provider has them. */
    fault: Fault | null;
  }
}

/**
 * Puts faults and the request log in front of every route of a provider's server. Give the server
 * `forceCloseConnections: true`, or a stalled answer keeps it from closing.
 */
export function installFaults(app: FastifyInstance, wiring: FaultWiring): void {
  const { faults, provider } = wiring;
  app.decorateRequest('fault', null);

  app.addHook('onRequest', async (request, reply) => {
    const mailbox = wiring.mailboxOf(request);
    const fault = faults.match({ provider, method: request.method, url: request.url, mailbox });
    const entry = faults.log.begin({
      provider,
      method: request.method,
      url: request.url,
      mailbox,
      quotaUser: wiring.quotaUserOf?.(request) ?? null,
      fault: fault?.kind ?? null,
    });
    let hasEnded = false;
    const end = (status: number | null) => {
      if (!hasEnded) faults.log.end(entry, status);
      hasEnded = true;
    };
    // An answer has ended when it is handed over: its `close` may come after the caller's next request.
    reply.raw.once('finish', () => end(reply.raw.statusCode));
    // A torn connection has no `finish`.
    reply.raw.once('close', () => end(null));
    request.fault = fault;
    if (fault !== null) await actBeforeRoute(fault, request, reply, wiring);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const fault = request.fault;
    if (fault === null || typeof payload !== 'string') return payload;
    if (fault.kind === 'empty_object') return '{}';
    if (fault.kind === 'late') return fault.give(payload);
    if (fault.kind === 'truncated') return payload.slice(0, Math.max(1, Math.floor(payload.length / 2)));
    if (fault.kind === 'stall' && fault.where === 'body') {
      void reply.header('content-length', Buffer.byteLength(payload));
      const unfinished = new PassThrough();
      unfinished.write(payload.slice(0, Math.floor(payload.length / 2)));
      return unfinished;
    }
    return payload;
  });
}

async function actBeforeRoute(
  fault: Fault,
  request: FastifyRequest,
  reply: FastifyReply,
  wiring: FaultWiring,
): Promise<void> {
  if (fault.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
  if (fault.kind === 'status') {
    if (fault.retryAfter !== undefined) void reply.header('retry-after', String(fault.retryAfter));
    await reply.code(fault.status).send(wiring.errorBody(fault.status, fault.reason, request));
  }
  if (fault.kind === 'html') {
    const page = `<!DOCTYPE html><html><head><title>Error ${fault.status}</title></head><body><h1>Bad Gateway</h1></body></html>`;
    await reply.code(fault.status).type('text/html; charset=UTF-8').send(page);
  }
  if (fault.kind === 'reset') {
    reply.hijack();
    request.raw.socket.resetAndDestroy();
  }
  if (fault.kind === 'stall' && fault.where === 'headers') reply.hijack();
}

function applies(
  rule: FaultRule,
  request: { provider: string; method: string; url: string; mailbox: string | null },
): boolean {
  if (rule.provider !== undefined && rule.provider !== request.provider) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) return false;
  if (rule.mailbox !== undefined && rule.mailbox.toLowerCase() !== request.mailbox?.toLowerCase())
    return false;
  return rule.path === undefined || new RegExp(rule.path).test(request.url);
}

/**
 * Lets every kind of trouble a client must survive come by chance: throttling with and without `Retry-After`,
 * server errors, a proxy's page, half an answer, an empty object, torn connections, lost cursors, empty pages.
 * Stalls are left out, since each costs a whole time-out; add them where a test can afford it.
 * Gives the ids of the rules.
 */
export function addTrouble(faults: Faults, options: { provider?: string; probability: number }): string[] {
  const troubles: Fault[] = [
    { kind: 'status', status: 429, retryAfter: 1 },
    { kind: 'status', status: 429 },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'html', status: 502 },
    { kind: 'truncated' },
    { kind: 'empty_object' },
    { kind: 'reset' },
    { kind: 'expired_cursor' },
    { kind: 'empty_page' },
  ];
  const where = options.provider === undefined ? {} : { provider: options.provider };
  // Each kind is drawn by itself, so the share of requests hit is close to the sum of them all.
  const probability = options.probability / troubles.length;
  return troubles.map((fault) => faults.add({ ...where, probability, fault }));
}
