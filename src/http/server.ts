import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Log } from '../runtime/log.ts';
import { answerRoutes, type PageDeps } from './answers.ts';
import { type EventFeed, eventRoutes } from './events.ts';
import { type HealthChecks, healthRoutes } from './health.ts';
import { baseUrl } from './listening.ts';
import { createMetricsServer, type MetricsListener } from './metrics.ts';
import { type AcceptNotification, notificationRoutes } from './notifications.ts';

export type HttpServerDeps = HealthChecks & {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** CIDRs of proxies whose X-Forwarded-For is believed; empty: nobody's. */
  readonly trustProxy?: readonly string[];
  readonly log: Log;
  readonly acceptNotification: AcceptNotification;
  readonly events: EventFeed;
  /** The bearer token of `GET /events`; null: only this machine itself may read them. */
  readonly eventsToken: string | null;
  /** What the links in mails open; null or absent: there are no links. */
  readonly answers?: PageDeps | null;
  /** null: no metrics are served. */
  readonly metrics: MetricsListener | null;
  readonly limits?: {
    /** Requests a minute and address, beyond which 429 is answered, and 503 to who notifies. */
    readonly notifications?: number;
    readonly others?: number;
    /** From the first byte of a request to its last. */
    readonly requestTimeoutMs?: number;
  };
};

export type HttpServer = {
  /** Binds both listeners; rejects when a port is taken. */
  listen(): Promise<void>;
  /** Answers what is under way, then ends. */
  close(): Promise<void>;
  /** Base URL without a trailing slash, known once listening. */
  readonly url: string;
  readonly metricsUrl: string | null;
};

/** A body of ours is never bigger; Microsoft's route sets its own. */
const BODY_LIMIT = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the idle limit of common load balancers (60 s), which else reuse a connection that just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/**
 * All notifications of a provider come from a handful of addresses, so this guards against abuse and not against
 * a busy morning; what is refused is told again, or found by the next poll.
 */
const NOTIFICATIONS_PER_MINUTE = 6000;
const OTHERS_PER_MINUTE = 300;

/**
 * The daemon's HTTP face. Everything it takes is bounded (size, time, rate), and an anonymous caller learns
 * from an answer no more than its status says. `/robots.txt` is deliberately not served: Google's notifier obeys
 * it, and a missing one forbids nothing.
 */
export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const requestTimeoutMs = deps.limits?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      // Node swaps the two limits when the one for headers (60 s by default) is the longer, and then lets a body
      // drip for that long.
      headersTimeout: requestTimeoutMs,
      // By default Node looks only every 30 s.
      connectionsCheckingInterval: 1000,
    },
    trustProxy: deps.trustProxy !== undefined && deps.trustProxy.length > 0 ? [...deps.trustProxy] : false,
    forceCloseConnections: 'idle',
    // A path that cannot be decoded is refused before any route; its default answer repeats the path.
    frameworkErrors: (_error, _request, reply) => {
      void (reply as FastifyReply).code(400).send({ error: 'bad_request' });
    },
  });
  answerPlainly(app, deps.log);
  const others = deps.limits?.others ?? OTHERS_PER_MINUTE;
  const notifications = deps.limits?.notifications ?? NOTIFICATIONS_PER_MINUTE;
  app.register(rateLimit, { global: true, max: others, timeWindow: '1 minute', cache: 10_000 });
  app.register(async (scope) => healthRoutes(scope, deps));
  app.register(async (scope) => eventRoutes(scope, deps.events, deps.eventsToken));
  app.register(async (scope) => notificationRoutes(scope, deps.acceptNotification, notifications));
  const { answers } = deps;
  if (answers) app.register(async (scope) => answerRoutes(scope, answers, deps.log));
  const metrics = deps.metrics === null ? null : createMetricsServer(deps.metrics);

  return {
    async listen() {
      await app.listen({ host: deps.host, port: deps.port });
      try {
        await metrics?.listen();
      } catch (error) {
        await app.close();
        throw error;
      }
    },
    async close() {
      await Promise.all([app.close(), metrics?.close()]);
    },
    get url() {
      return baseUrl(app);
    },
    get metricsUrl() {
      return metrics?.url ?? null;
    },
  };
}

/** Errors and unknown paths get a constant body: no stack, no path, nothing that names what is inside. */
function answerPlainly(app: FastifyInstance, log: Log): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not_found' }));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) {
      return reply.code(status).send({ error: status === 429 ? 'too_many_requests' : 'bad_request' });
    }
    // The route's pattern, not its URL: a URL may carry a token.
    log.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    // 503 and not 500: providers retry it, and what failed is ours.
    return reply.code(503).header('retry-after', '5').send({ error: 'unavailable' });
  });
}
