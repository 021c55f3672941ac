import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Fault, type Faults, installFaults } from '../faults.ts';
import type { Person } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Entra } from './entra.ts';
import { errorBody, faultRefusal, GraphRefusal, refusals } from './graph-errors.ts';
import { type Preferences, readPreferences } from './preferences.ts';

export interface TrafficHabits {
  /** Requests of one mailbox that may be under way at a time; Exchange's limit is four. */
  mailboxConcurrency: number;
  /** Requests of all mailboxes together that may be under way; older pages of Microsoft count so. `null` = any number. */
  applicationConcurrency: number | null;
  /** What the 429 says in `Retry-After`: a constant 1 was seen in the wild, and so was nothing at all (null). */
  throttleRetryAfter: string | null;
  /** How long every answer takes. Without any, requests would never be under way together. */
  latencyMs: number;
}

/** One request as a route sees it. */
export interface GraphRequest {
  readonly user: string;
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters; their names are lower-cased, as Graph does not mind the case. */
  readonly query: ReadonlyMap<string, string>;
  readonly preferences: Preferences;
  readonly origin: string;
  /** Path without the query. */
  readonly path: string;
  /** Parsed JSON of a POST or PATCH. */
  readonly body: unknown;
  /** A fault which the route itself acts out: an expired cursor, an empty page. */
  readonly fault: Fault['kind'] | null;
}

/** What a route answers: a body, a {@link GraphAnswer}, or a refusal thrown. */
export type GraphRoute = (request: GraphRequest) => unknown;

/** An answer with a status of its own; without a body where it is null. */
export class GraphAnswer {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    this.status = status;
    this.body = body;
  }
}

/** A server that speaks as Graph does: tokens, preferences, error bodies, limits per mailbox. */
export interface GraphServer {
  readonly app: FastifyInstance;
  /** Adds `GET /v1.0{path}`. Requests under a mailbox (`counted`) take part in its concurrency limit. */
  readonly get: (path: string, counted: boolean, route: GraphRoute) => void;
  /** Adds a route that changes something. Such requests concern no mailbox's limit. */
  readonly route: (method: 'POST' | 'PATCH' | 'DELETE', path: string, route: GraphRoute) => void;
}

export function createGraphServer(options: {
  readonly world: World;
  readonly entra: Entra;
  readonly faults: Faults;
  readonly habits: TrafficHabits;
}): GraphServer {
  const { world, entra, habits } = options;
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 2_000, caseSensitive: false },
  });
  const underWay = new Map<string, number>();
  /** Of all mailboxes together. */
  let counting = 0;

  function answerRefusal(refusal: GraphRefusal, request: FastifyRequest, reply: FastifyReply): unknown {
    const requestId = requestIdOf(request);
    return reply
      .code(refusal.status)
      .headers({ ...refusal.headers, 'request-id': requestId, 'client-request-id': requestId })
      .type('application/json')
      .send(errorBody(refusal, world.now(), requestId));
  }

  installFaults(app, {
    faults: options.faults,
    provider: 'microsoft',
    mailboxOf: (request) => {
      const name = /^\/v1\.0\/users\/([^/?]+)\//i.exec(request.url)?.[1];
      return name === undefined ? null : (namedPerson(world, decodeURIComponent(name))?.addresses[0] ?? null);
    },
    errorBody: (status, reason, request) =>
      errorBody(faultRefusal(status, reason), world.now(), requestIdOf(request)),
  });

  app.setErrorHandler((error, request, reply) => {
    if (error instanceof GraphRefusal) return answerRefusal(error, request, reply);
    const { statusCode } = error as { statusCode?: number };
    return answerRefusal(
      statusCode !== undefined && statusCode < 500
        ? refusals.badRequest('The request is malformed.')
        : new GraphRefusal(500, 'UnknownError', error instanceof Error ? error.message : ''),
      request,
      reply,
    );
  });
  app.setNotFoundHandler((request, reply) =>
    answerRefusal(refusals.noSuchSegment(request.url.split('?')[0]?.slice(1) ?? ''), request, reply),
  );

  async function serve(
    counted: boolean,
    route: GraphRoute,
    raw: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    const request = readRequest(raw);
    // By object id and by address it is one mailbox.
    const mailbox = namedPerson(world, request.user)?.id ?? request.user;
    const together = (underWay.get(mailbox) ?? 0) + 1;
    underWay.set(mailbox, together);
    if (counted) counting += 1;
    const ofAll = counting;
    let outcome: unknown;
    try {
      if (habits.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, habits.latencyMs));
      if (!entra.accepts(raw.headers.authorization)) throw refusals.tokenRefused();
      const most = habits.applicationConcurrency ?? Number.POSITIVE_INFINITY;
      if (counted && (together > habits.mailboxConcurrency || ofAll > most)) {
        throw refusals.concurrency(habits.throttleRetryAfter);
      }
      outcome = await route(request);
    } finally {
      // Before the answer leaves: its caller may come back sooner than we learn that it arrived.
      underWay.set(mailbox, (underWay.get(mailbox) ?? 1) - 1);
      if (counted) counting -= 1;
    }
    const { status, body } = outcome instanceof GraphAnswer ? outcome : new GraphAnswer(200, outcome);
    if (body === null) return reply.code(status).send();
    if (request.preferences.applied.length > 0) {
      reply.header('preference-applied', request.preferences.applied.join(', '));
    }
    const requestId = requestIdOf(raw);
    reply.headers({ 'request-id': requestId, 'client-request-id': requestId });
    // Sent as text with its own type: the parameters are Graph's, and clients must not trip over them.
    return reply
      .code(status)
      .header(
        'content-type',
        'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
      )
      .serializer((value: unknown) => JSON.stringify(value))
      .send(body);
  }

  return {
    app,
    get: (path, counted, route) => {
      app.get(`/v1.0${path}`, (request, reply) => serve(counted, route, request, reply));
    },
    route: (method, path, route) => {
      app.route({
        method,
        url: `/v1.0${path}`,
        handler: (request, reply) => serve(false, route, request, reply),
      });
    },
  };
}

/** The person a Graph path names: by object id or by user principal name. Aliases are no names for Graph. */
export function namedPerson(world: World, name: string): Person | null {
  const wanted = name.toLowerCase();
  const found = [...world.people.values()].find(
    (person) =>
      person.provider === 'microsoft' &&
      (person.objectId === wanted || person.addresses[0]?.toLowerCase() === wanted),
  );
  return found ?? null;
}

/** The owner of a mailbox that may be read. Refuses as Exchange does. */
export function readableMailbox(world: World, name: string): Person {
  const person = namedPerson(world, name);
  if (person === null) throw refusals.mailboxUnknown(name);
  if (person.state === 'forbidden') throw refusals.mailboxDenied();
  if (person.state !== 'active') throw refusals.mailboxMissing();
  return person;
}

/** Graph takes over the number that a client gives its request, and makes one where there is none. */
function requestIdOf(request: FastifyRequest): string {
  const given = request.headers['client-request-id'];
  return typeof given === 'string' ? given : randomUUID();
}

function readRequest(raw: FastifyRequest): GraphRequest {
  const origin = `http://${raw.headers.host ?? '127.0.0.1'}`;
  const url = new URL(raw.url, origin);
  const params = raw.params as Record<string, string>;
  return {
    user: params.user ?? '',
    params,
    query: new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value])),
    preferences: readPreferences(raw.headers.prefer),
    origin,
    path: url.pathname,
    body: raw.body ?? null,
    fault: raw.fault?.kind ?? null,
  };
}
