import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OutboundEvent } from '../domain/outbound.ts';

/** One page of the event table, oldest first. Positions are text, because they outgrow what JSON numbers hold. */
export type EventPage = readonly { readonly position: string; readonly event: OutboundEvent }[];

/** Reads at most `limit` events after a position (`0`: from the beginning). */
export type EventFeed = (after: string, limit: number) => Promise<EventPage>;

const DEFAULT_LIMIT = 100;
const MOST = 1000;
const POSITION = /^(0|[1-9]\d{0,18})$/;

/**
 * `GET /events?after=POSITION&limit=N`: the events that webhooks carry, for a program that prefers to ask. It
 * answers `{events: [{position, ...event}], next}`; asking again with `after=next` misses nothing, because a
 * position never appears below one that was already visible.
 * With a token the caller must present it as `Authorization: Bearer`. Without one the answer goes to this machine
 * only, and not through a proxy on it, behind which everybody would look local.
 */
export function eventRoutes(app: FastifyInstance, feed: EventFeed, token: string | null): void {
  app.get<{ Querystring: Record<string, unknown> }>('/events', async (request, reply) => {
    if (!mayRead(request, token)) {
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized' });
    }
    const { after = '0', limit = String(DEFAULT_LIMIT) } = request.query;
    if (typeof after !== 'string' || !POSITION.test(after)) {
      return reply.code(400).send({ error: 'after_is_a_position' });
    }
    if (typeof limit !== 'string' || !/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MOST) {
      return reply.code(400).send({ error: `limit_is_1_to_${MOST}` });
    }
    const page = await feed(after, Number(limit));
    return {
      events: page.map(({ position, event }) => ({ position, ...event })),
      next: page.at(-1)?.position ?? after,
    };
  });
}

function mayRead(request: FastifyRequest, token: string | null): boolean {
  if (token === null) {
    const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
    const isDirect = forwardedFor === undefined && forwarded === undefined;
    return isDirect && isLoopback(request.socket.remoteAddress);
  }
  const given = /^Bearer ([^\s]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Hashed first, so that comparing takes the same time for any length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address);
}
