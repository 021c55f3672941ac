import type { FastifyInstance } from 'fastify';
import { BASE64URL } from '../world/random.ts';
import { openCalendar, tokenOf } from './access.ts';
import type { GoogleContext } from './context.ts';
import { REFUSALS, refuse } from './errors.ts';

/** A channel as Google holds it. */
export interface WatchChannel {
  readonly id: string;
  readonly person: string;
  readonly resourceId: string;
  readonly resourceUri: string;
  readonly address: string;
  readonly token: string | null;
  /** The world's instant at which it ends. */
  readonly expiresAt: number;
  stopped: boolean;
  messages: number;
}

/** One attempt to tell somebody. */
export interface Delivery {
  readonly channel: string;
  readonly state: 'sync' | 'exists';
  readonly number: number;
  /** The receiver's answer; `null`: lost on purpose, forbidden by robots.txt, or no answer. */
  readonly status: number | null;
  /** Milliseconds until the answer, for who measures. */
  readonly took: number;
}

export interface Push {
  /** Every channel there ever was. */
  channels(): readonly WatchChannel[];
  deliveries(): readonly Delivery[];
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  /** Calendars (primary addresses) that cannot be watched, as holidays and birthdays cannot. */
  readonly unwatchable: Set<string>;
  close(): void;
}

interface WatchBody {
  id?: string;
  type?: string;
  address?: string;
  token?: string;
  expiration?: string | number;
  params?: { ttl?: string };
}

const CHANNEL_ID = /^[A-Za-z0-9\-_+/=]{1,64}$/;
/** Answers that make Google try again; every other one is final. */
const TRY_AGAIN = new Set([500, 502, 503, 504]);
const GOOD = new Set([102, 200, 201, 202, 204]);
const MOST_TRIES = 5;

/**
 * `events.watch` and `channels.stop`, and the notifier that POSTs to whoever watches when a calendar changes:
 * no body, everything in headers, at least once and sometimes not at all.
 * https://developers.google.com/workspace/calendar/api/guides/push
 */
export function registerPush(app: FastifyInstance, context: GoogleContext): Push {
  const { world, habits } = context;
  const random = context.random.fork('push');
  const channels = new Map<string, WatchChannel>();
  const deliveries: Delivery[] = [];
  const pending = new Set<Promise<void>>();
  const scheduled = new Set<string>();
  const robots = new Map<string, Promise<boolean>>();
  const unwatchable = new Set<string>();
  const closing = new AbortController();

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      closing.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  const onItsWay = (sending: Promise<void>): void => {
    pending.add(sending);
    void sending.finally(() => pending.delete(sending));
  };

  /** The notifier obeys robots.txt of the host it writes to. */
  function allowed(address: string): Promise<boolean> {
    const { origin } = new URL(address);
    const known = robots.get(origin) ?? readRobots(origin, closing.signal);
    robots.set(origin, known);
    return known;
  }

  async function attempt(channel: WatchChannel, state: Delivery['state'], number: number): Promise<boolean> {
    const began = performance.now();
    let status: number | null = null;
    if (!habits.firewall && (await allowed(channel.address))) {
      try {
        const answer = await fetch(channel.address, {
          method: 'POST',
          headers: {
            'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
            'content-length': '0',
            'x-goog-channel-id': channel.id,
            'x-goog-message-number': String(number),
            'x-goog-resource-id': channel.resourceId,
            'x-goog-resource-state': state,
            'x-goog-resource-uri': channel.resourceUri,
            'x-goog-channel-expiration': new Date(channel.expiresAt).toUTCString(),
            ...(channel.token === null ? {} : { 'x-goog-channel-token': channel.token }),
          },
          signal: AbortSignal.any([closing.signal, AbortSignal.timeout(10_000)]),
        });
        await answer.arrayBuffer();
        status = answer.status;
      } catch {
        // Nobody answered: to the notifier that is the same as an answer it does not know.
        status = null;
      }
    }
    deliveries.push({ channel: channel.id, state, number, status, took: performance.now() - began });
    return status === null || GOOD.has(status) || !TRY_AGAIN.has(status);
  }

  async function tell(channel: WatchChannel, state: Delivery['state']): Promise<void> {
    // Numbers grow and leave gaps.
    channel.messages += state === 'sync' ? 1 : 1 + random.below(40);
    const number = channel.messages;
    if (state === 'exists' && habits.pushDelayMs > 0) await pause(habits.pushDelayMs);
    if (state === 'exists' && random.next() < habits.pushLost) {
      deliveries.push({ channel: channel.id, state, number, status: null, took: 0 });
      return;
    }
    const times = state === 'exists' && random.next() < habits.pushTwice ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      for (let tries = 1; tries <= MOST_TRIES && !closing.signal.aborted; tries += 1) {
        if (await attempt(channel, state, number)) break;
        await pause(habits.pushRetryMs * 2 ** (tries - 1));
      }
    }
  }

  const stopListening = world.onChange((person) => {
    for (const channel of channels.values()) {
      if (channel.person !== person || channel.stopped || channel.expiresAt <= world.now()) continue;
      // One edit touches a calendar several times before anybody is told.
      if (scheduled.has(channel.id)) continue;
      scheduled.add(channel.id);
      onItsWay(
        Promise.resolve().then(() => {
          scheduled.delete(channel.id);
          return tell(channel, 'exists');
        }),
      );
    }
  });

  app.post<{ Params: { calendarId: string }; Body: WatchBody | null }>(
    '/calendar/v3/calendars/:calendarId/events/watch',
    async (request) => {
      const { owner } = openCalendar(context, request, request.params.calendarId);
      const primary = owner.addresses[0] ?? '';
      const body = request.body ?? {};
      if (unwatchable.has(primary)) {
        return refuse({
          status: 400,
          domain: 'calendar',
          reason: 'pushNotSupportedForRequestedResource',
          message: 'Push notifications are not supported by this resource.',
        });
      }
      const { id = '', address = '' } = body;
      if (!CHANNEL_ID.test(id) || !/^web_?hook$/.test(body.type ?? '')) return refuse(REFUSALS.badRequest);
      if ((body.token ?? '').length > 256) return refuse(REFUSALS.badRequest);
      if (!acceptable(address, habits.webhooks)) {
        return refuse({
          status: habits.webhooks === 'unauthorized' ? 401 : 400,
          reason:
            habits.webhooks === 'unauthorized' ? 'push.webhookUrlUnauthorized' : 'push.webhookUrlNotHttps',
          message: `Unauthorized WebHook callback channel: ${address}`,
        });
      }
      if (channels.has(id)) {
        return refuse({ status: 400, reason: 'channelIdNotUnique', message: `Channel id ${id} not unique` });
      }
      const channel: WatchChannel = {
        id,
        person: owner.id,
        // The same for every channel on one calendar.
        resourceId: Buffer.from(`resource ${owner.providerUserId}`).toString('base64url').slice(0, 27),
        resourceUri: `https://www.googleapis.com/calendar/v3/calendars/${encodeURIComponent(primary)}/events?alt=json`,
        address,
        token: body.token ?? null,
        expiresAt: expirationOf(body, world.now(), habits.pushTtlMs),
        stopped: false,
        messages: 0,
      };
      channels.set(id, channel);
      const syncing = tell(channel, 'sync');
      onItsWay(syncing);
      if (habits.syncFirst) await syncing;
      return {
        kind: 'api#channel',
        id,
        resourceId: channel.resourceId,
        resourceUri: channel.resourceUri,
        ...(channel.token === null ? {} : { token: channel.token }),
        expiration: String(channel.expiresAt),
      };
    },
  );

  app.post<{ Body: { id?: string; resourceId?: string } | null }>(
    '/calendar/v3/channels/stop',
    async (request, reply) => {
      if (tokenOf(context, request) === undefined) return refuse(REFUSALS.authError);
      const { id = '', resourceId = '' } = request.body ?? {};
      const channel = channels.get(id);
      if (channel === undefined || channel.stopped || channel.resourceId !== resourceId) {
        return refuse({
          status: 404,
          reason: 'notFound',
          message: `Channel '${id}' not found for project '${random.text(BASE64URL.slice(52, 62), 12)}'`,
        });
      }
      channel.stopped = true;
      return reply.code(204).send();
    },
  );

  return {
    channels: () => [...channels.values()],
    deliveries: () => deliveries,
    async idle() {
      while (pending.size > 0) await Promise.all(pending);
    },
    unwatchable,
    close() {
      stopListening();
      closing.abort();
    },
  };
}

async function readRobots(origin: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/robots.txt`, { signal });
    return !answer.ok || !/^\s*disallow:\s*\/\s*$/im.test(await answer.text());
  } catch {
    // A host that does not answer forbids nothing.
    return true;
  }
}

/** https only, as at Google; this machine itself may be written to without. */
function acceptable(address: string, webhooks: 'accepted' | 'unauthorized'): boolean {
  const url = URL.parse(address);
  if (url === null || webhooks === 'unauthorized') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1');
}

/** The stricter of what was asked and what Google gives. */
function expirationOf(body: WatchBody, now: number, longest: number): number {
  const asked =
    body.params?.ttl === undefined ? Number(body.expiration) : now + Number(body.params.ttl) * 1000;
  return Math.min(Number.isFinite(asked) && asked > 0 ? asked : Number.POSITIVE_INFINITY, now + longest);
}
