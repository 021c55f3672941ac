import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export type NotificationProvider = 'google' | 'microsoft';

/** What the provider is answered. Anything but 2xx asks it to send again or tells it to give up. */
export type NotificationAnswer = {
  readonly status: number;
  readonly body?: string;
  readonly contentType?: string;
};

/**
 * Records a notification and answers; it never reads a calendar. Unknown or forged ones are answered like good
 * ones (an attacker learns nothing, a provider does not retry). A rejection becomes 503, which both providers
 * retry. `body` is the parsed JSON of Microsoft, undefined for Google, whose notifications have none.
 */
export type AcceptNotification = (
  provider: NotificationProvider,
  headers: Readonly<Record<string, string | undefined>>,
  query: Readonly<Record<string, string | undefined>>,
  body: unknown,
) => Promise<NotificationAnswer>;

/** One POST of Graph may hold hundreds of notifications of about 600 bytes. */
const MICROSOFT_BODY_LIMIT = 1024 * 1024;
const TOKEN_LIMIT = 4096;
// Nothing that a real token holds, everything that a log or terminal could be attacked with.
const CONTROL_CHARACTER = /\p{Cc}/u;

/** The inbound side of push. A push is only a hint to look. */
export function notificationRoutes(
  app: FastifyInstance,
  accept: AcceptNotification,
  requestsPerMinute: number,
): void {
  // Providers label bodies as they like; only the route knows what to make of the bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const config = { rateLimit: { max: requestsPerMinute, timeWindow: '1 minute' } };
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error.statusCode !== 429) throw error;
    // Google tries again after 500, 502, 503 and 504 only; 429 would lose what it told
    // (https://developers.google.com/workspace/calendar/api/guides/push). Graph tries again after either.
    return reply.code(503).send({ error: 'unavailable' });
  });

  app.post('/notifications/google', { config }, async (request, reply) =>
    pass(reply, await accept('google', singles(request.headers), singles(request.query), undefined)),
  );

  app.post(
    '/notifications/microsoft',
    { config, bodyLimit: MICROSOFT_BODY_LIMIT },
    async (request, reply) => {
      // Before the body: the handshake says text/plain and has none.
      const { validationToken } = request.query as Record<string, unknown>;
      if (validationToken !== undefined) return answerHandshake(reply, validationToken);
      const body = parsed(request);
      if (body === undefined) return reply.code(400).send({ error: 'bad_request' });
      return pass(reply, await accept('microsoft', singles(request.headers), singles(request.query), body));
    },
  );
}

/**
 * Graph proves that an endpoint is ours by having it repeat a token within 10 seconds, at subscription and at
 * renewal alike (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks). The token is repeated
 * exactly, since Graph compares it; what keeps a forged one from running in somebody's browser is its type.
 */
function answerHandshake(reply: FastifyReply, token: unknown): FastifyReply {
  if (
    typeof token !== 'string' ||
    token === '' ||
    token.length > TOKEN_LIMIT ||
    CONTROL_CHARACTER.test(token)
  ) {
    return reply.code(400).send({ error: 'bad_request' });
  }
  return reply
    .code(200)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(token);
}

function pass(reply: FastifyReply, answer: NotificationAnswer): FastifyReply {
  if (answer.contentType !== undefined) reply.header('content-type', answer.contentType);
  return reply.code(answer.status).send(answer.body ?? '');
}

function parsed(request: FastifyRequest): unknown {
  const { body } = request;
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    // Whatever it is, it is no notification; the sender is told by the status.
    return undefined;
  }
}

/** Header and query values that came once; a repeated one has no single meaning and is left out. */
function singles(values: unknown): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(values as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}
