import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { createFaults, type Faults, installFaults } from '../faults.ts';
import type { World } from '../world/world.ts';
import { tokenOf } from './access.ts';
import { type AccessToken, DEFAULT_GRANT, type GoogleContext, type GoogleHabits } from './context.ts';
import { createCredentials, type ServiceAccountKey } from './credentials.ts';
import { registerDirectory } from './directory.ts';
import { errorBody, faultBody, grpcForm, invalidParameter, REFUSALS, RefusedError } from './errors.ts';
import { registerEvents } from './events.ts';
import { registerMeet } from './meet.ts';
import { partialResponse } from './partial-response.ts';
import { type Push, registerPush } from './push.ts';
import { createQuota } from './quota.ts';
import { registerReports } from './reports.ts';
import { registerToken, tokenFault } from './token.ts';

export interface GoogleSandboxOptions {
  faults?: Faults;
  habits?: Partial<GoogleHabits>;
  /** The scopes an administrator granted by domain-wide delegation. */
  grantedScopes?: string[];
  /** The only person who may read the whole directory; everybody may when absent. */
  adminSubject?: string;
  port?: number;
}

export interface GoogleSandbox {
  /** One origin for Calendar, Meet, Reports and the Directory. */
  url: string;
  tokenUrl: string;
  serviceAccountKey: ServiceAccountKey;
  faults: Faults;
  /** Changeable while it runs. */
  habits: GoogleHabits;
  /** Changeable while it runs: take a scope out, and tokens for it are refused. */
  grantedScopes: Set<string>;
  /** The notifier and its channels. */
  push: Push;
  /** The access tokens handed out so far, by their text. */
  tokens: Map<string, AccessToken>;
  /** Makes every access token handed out so far worthless. */
  revokeAccessTokens(): void;
  close(): Promise<void>;
}

const HABITS: GoogleHabits = {
  maxPage: 250,
  emptyPages: 0.1,
  sparseTombstones: 0.3,
  tombstonesKeptMs: 30 * 86_400_000,
  perUserPerMinute: null,
  perProjectPerMinute: null,
  quotaMinuteMs: 60_000,
  pushTtlMs: 7 * 86_400_000,
  pushLost: 0,
  firewall: false,
  pushTwice: 0,
  pushDelayMs: 0,
  pushRetryMs: 200,
  syncFirst: true,
  webhooks: 'accepted',
  reportsLagMs: 45 * 60_000,
  reportsForeignCalls: 'everybody',
  reportsNameOrganizer: true,
  foreignSubjects: 'unknown_user',
  ownRole: 'owner',
};

/** Starts Google's stand-in on a free port of 127.0.0.1. */
export async function startGoogleSandbox(
  world: World,
  options: GoogleSandboxOptions = {},
): Promise<GoogleSandbox> {
  const faults = options.faults ?? createFaults({ now: () => world.now() });
  const random = world.random.fork('google');
  const context: GoogleContext = {
    world,
    random,
    credentials: createCredentials(random.fork('service account')),
    habits: { ...HABITS, ...options.habits },
    grantedScopes: new Set(options.grantedScopes ?? DEFAULT_GRANT),
    adminSubject: options.adminSubject ?? null,
    tokens: new Map(),
  };
  const app = Fastify({
    forceCloseConnections: true,
    // Ids of imported and split series are longer than the default of 100 characters.
    routerOptions: { maxParamLength: 1100 },
  });
  installFaults(app, {
    faults,
    provider: 'google',
    mailboxOf: (request) => mailboxOf(context, request),
    quotaUserOf,
    errorBody: (status, reason, request) =>
      request.url.startsWith('/token') ? tokenFault(reason) : inApisForm(request, faultBody(status, reason)),
  });
  answerInGooglesWay(app);
  limitByQuota(app, context);
  registerToken(app, context);
  registerEvents(app, context);
  const push = registerPush(app, context);
  registerMeet(app, context);
  registerReports(app, context);
  registerDirectory(app, context);
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    url,
    tokenUrl: `${url}/token`,
    serviceAccountKey: context.credentials.key,
    faults,
    habits: context.habits,
    grantedScopes: context.grantedScopes,
    tokens: context.tokens,
    revokeAccessTokens: () => context.tokens.clear(),
    push,
    async close() {
      push.close();
      await app.close();
    },
  };
}

function answerInGooglesWay(app: FastifyInstance): void {
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof RefusedError) {
      if (error.refusal.status === 401)
        void reply.header(
          'www-authenticate',
          'Bearer realm="https://accounts.google.com/", error="invalid_token"',
        );
      return reply.code(error.refusal.status).send(inApisForm(request, errorBody(error.refusal)));
    }
    const status = hasStatus(error) ? error.statusCode : 500;
    return reply
      .code(status)
      .send(
        errorBody({ status, reason: status < 500 ? 'badRequest' : 'backendError', message: String(error) }),
      );
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply
      .code(404)
      .type('text/html; charset=UTF-8')
      .send('<html><title>Error 404 (Not Found)!!1</title></html>'),
  );
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { fields } = request.query as { fields?: string };
    if (fields === undefined || reply.statusCode !== 200) return payload;
    const cut = partialResponse(payload, fields);
    if (cut !== null) return cut;
    void reply.code(400);
    return errorBody(invalidParameter('fields', `Invalid field selection ${fields}`));
  });
}

function limitByQuota(app: FastifyInstance, context: GoogleContext): void {
  const users = createQuota();
  const project = createQuota();
  app.addHook('preHandler', async (request) => {
    if (request.url.startsWith('/token')) return;
    const { perUserPerMinute, perProjectPerMinute, quotaMinuteMs } = context.habits;
    const now = context.world.now();
    // Delegated calls count for the service account unless they name their quota user.
    const user = quotaUserOf(request) ?? context.credentials.key.client_email;
    const isGranted =
      (perUserPerMinute === null || users.take(user, perUserPerMinute, now, quotaMinuteMs)) &&
      (perProjectPerMinute === null || project.take('all', perProjectPerMinute, now, quotaMinuteMs));
    if (!isGranted) throw new RefusedError(REFUSALS.rateLimitExceeded);
  });
}

function quotaUserOf(request: FastifyRequest): string | null {
  const { quotaUser } = request.query as { quotaUser?: string };
  const header = request.headers['x-goog-quota-user'];
  return quotaUser ?? (typeof header === 'string' ? header : null);
}

/** The calendar in the path; for other APIs, who is impersonated. */
function mailboxOf(context: GoogleContext, request: FastifyRequest): string | null {
  const person = tokenOf(context, request)?.person ?? null;
  const subject = person === null ? null : (context.world.person(person).addresses[0] ?? null);
  const [, encoded] = /^\/calendar\/v3\/calendars\/([^/?]+)/.exec(request.url) ?? [];
  if (encoded === undefined) return subject;
  const id = decodeURIComponent(encoded);
  return id === 'primary' ? subject : id.toLowerCase();
}

/** Meet writes errors differently from Calendar and the Directory. */
function inApisForm(request: FastifyRequest, body: ReturnType<typeof errorBody>): unknown {
  return request.url.startsWith('/v2/') ? grpcForm(body) : body;
}

function hasStatus(error: unknown): error is { statusCode: number } {
  return (
    typeof error === 'object' &&
    error !== null &&
    'statusCode' in error &&
    typeof error.statusCode === 'number'
  );
}
