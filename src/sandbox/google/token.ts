import { verify } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { BASE64URL } from '../world/random.ts';
import type { GoogleContext } from './context.ts';

const AUDIENCE = 'https://oauth2.googleapis.com/token';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** How far the asker's clock may be off. */
const SKEW_SECONDS = 300;

const SHORT_LIVED =
  'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
const UNAUTHORISED =
  'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.';

/**
 * Refusals that are asked for by name, as they were seen: one error for a leaver, a deleted key and a wrong clock, told
 * apart by their description alone.
 */
const REFUSALS: Record<string, readonly [error: string, description?: string]> = {
  unauthorized_client: ['unauthorized_client', UNAUTHORISED],
  unknown_user: ['invalid_grant', 'Invalid email or User ID'],
  no_address: ['invalid_grant', 'Not a valid email'],
  deleted_user: ['invalid_grant', 'The account has been deleted'],
  malformed_subject: ['invalid_request', 'Invalid impersonation prn email address.'],
  clock: ['invalid_grant', SHORT_LIVED],
  no_verifier: ['invalid_grant', 'Invalid JWT: No valid verifier found for issuer.'],
  signature: ['invalid_grant', 'Invalid JWT Signature.'],
  session_control: ['invalid_grant', 'reauth related error (invalid_rapt)'],
  access_denied: ['access_denied', 'Account restricted'],
  admin_policy: ['admin_policy_enforced', 'The user is not authorized.'],
};

/** The body of a refusal by its name; an error of Google's own without one. */
export function tokenFault(name: string | undefined): unknown {
  const [error, description] = REFUSALS[name ?? ''] ?? ['internal_failure'];
  return { error, ...(description === undefined ? {} : { error_description: description }) };
}

/** `POST /token`: a signed assertion for an access token, https://developers.google.com/identity/protocols/oauth2/service-account. */
export function registerToken(app: FastifyInstance, context: GoogleContext): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  app.post('/token', async (request, reply) => {
    const form = (request.body ?? {}) as Record<string, string | undefined>;
    if (form.grant_type !== GRANT_TYPE) {
      return answer(reply, 400, 'unsupported_grant_type', `Invalid grant_type: ${form.grant_type ?? ''}`);
    }
    const assertion = readAssertion(form.assertion ?? '', context);
    if ('error' in assertion) return answer(reply, 400, 'invalid_grant', assertion.error);
    const { scopes, subject } = assertion;
    if (scopes.length === 0) {
      return answer(reply, 400, 'invalid_scope', 'Empty or missing scope not allowed.');
    }
    if (scopes.some((scope) => !context.grantedScopes.has(scope))) {
      return answer(reply, 401, 'unauthorized_client', UNAUTHORISED);
    }
    if (subject !== null && !subject.includes('@')) {
      return answer(reply, 400, 'invalid_request', 'Invalid impersonation prn email address.');
    }
    const person = subject === null ? null : liveUser(context, subject);
    if (person === undefined && isForeign(context, subject ?? '')) {
      return answer(reply, 401, 'unauthorized_client', UNAUTHORISED);
    }
    if (person === undefined) return answer(reply, 400, 'invalid_grant', 'Invalid email or User ID');
    const accessToken = `ya29.c.${context.random.text(BASE64URL, 120)}`;
    context.tokens.set(accessToken, { person, scopes, expiresAt: Date.now() + 3_599_000 });
    return reply.send({ access_token: accessToken, expires_in: 3599, token_type: 'Bearer' });
  });
}

/** The key of the live user with this primary address; aliases and suspended people cannot be impersonated. */
function liveUser(context: GoogleContext, subject: string): string | undefined {
  const wanted = subject.toLowerCase();
  return [...context.world.people.values()].find(
    (person) =>
      person.provider === 'google' &&
      person.state !== 'suspended' &&
      person.addresses[0]?.toLowerCase() === wanted,
  )?.id;
}

/** Whether nobody of the organisation has an address of that domain, where that makes a difference. */
function isForeign(context: GoogleContext, subject: string): boolean {
  if (context.habits.foreignSubjects === 'unknown_user') return false;
  const domain = subject.slice(subject.lastIndexOf('@')).toLowerCase();
  return ![...context.world.people.values()].some(
    ({ provider, addresses }) =>
      provider === 'google' && addresses.some((address) => address.toLowerCase().endsWith(domain)),
  );
}

function readAssertion(
  assertion: string,
  { credentials }: GoogleContext,
): { scopes: string[]; subject: string | null } | { error: string } {
  const [header = '', payload = '', signature = '', ...more] = assertion.split('.');
  const algorithm = decode(header)?.alg;
  const claims = decode(payload);
  if (claims === null || algorithm !== 'RS256' || more.length > 0) {
    return { error: 'Invalid JWT: Failed audience check.' };
  }
  if (claims.iss !== credentials.key.client_email) {
    return { error: 'Invalid JWT: No valid verifier found for issuer.' };
  }
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('sha256', signed, credentials.publicKey, Buffer.from(signature, 'base64url'))) {
    return { error: 'Invalid JWT Signature.' };
  }
  if (claims.aud !== AUDIENCE) return { error: 'Invalid JWT: Failed audience check.' };
  const { iat, exp } = claims;
  const now = Date.now() / 1000;
  if (typeof iat !== 'number' || typeof exp !== 'number') return { error: SHORT_LIVED };
  const timely = iat <= now + SKEW_SECONDS && exp > now - SKEW_SECONDS && exp > iat && exp - iat <= 3600;
  if (!timely) return { error: SHORT_LIVED };
  return {
    scopes: typeof claims.scope === 'string' ? claims.scope.split(' ').filter(Boolean) : [],
    subject: typeof claims.sub === 'string' ? claims.sub : null,
  };
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function answer(reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).send({ error, error_description: description });
}
