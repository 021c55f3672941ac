import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { TENANT_ID } from '../world/meetings.ts';
import { BASE64URL, guid, type Random } from '../world/random.ts';

/** An Entra application's stand-in: who may ask for tokens, and which tokens still open Graph. */
export interface Entra {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Every later sign-in with the secret is refused as expired (AADSTS7000222). Tokens live on. */
  readonly expireSecret: () => void;
  /** A fresh secret beside the old ones, as during a rotation. */
  readonly addSecret: () => string;
  /** Believes assertions signed with this certificate's key (PS256) from now on. */
  readonly registerCertificate: (certificate: RegisteredCertificate) => void;
  /** Lifetime told with tokens issued from now on, in seconds. */
  readonly setExpiresIn: (seconds: number) => void;
  /** Graph answers 401 to every token issued so far. */
  readonly revokeTokens: () => void;
  /** How many tokens were issued; proves single flight and caching in the client. */
  readonly issued: () => number;
  /** Whether an `Authorization` header opens Graph now. */
  readonly accepts: (authorization: string | undefined) => boolean;
  /** Adds `POST /{tenant}/oauth2/v2.0/token` to a server. */
  readonly serve: (app: FastifyInstance) => void;
}

export interface RegisteredCertificate {
  /** PEM of the certificate or of its public key. */
  readonly pem: string;
  /** SHA-256 of the certificate in hex or base64url, as the assertion's `x5t#S256` names it. */
  readonly thumbprintSha256: string;
}

interface Refusal {
  readonly status: 400 | 401;
  readonly error: string;
  readonly code: number;
  readonly text: string;
}

/**
 * Builds the application. Token life runs on the machine's own clock, because neither the daemon nor the sandbox
 * shifts credentials; the same source of chance yields the same client and secret.
 */
export function createEntra(random: Random): Entra {
  const tenant = TENANT_ID;
  const clientId = guid(random);
  const clientSecret = newSecret(random);
  const secrets = new Map<string, { expired: boolean }>([[clientSecret, { expired: false }]]);
  const certificates = new Map<string, KeyObject>();
  const tokens = new Map<string, number>();
  let expiresIn = 3_599;
  let issued = 0;

  function refusalOf(form: URLSearchParams, tenantAsked: string, endpoint: string): Refusal | null {
    if (tenantAsked !== tenant) {
      return refuse(400, 'invalid_request', 90_002, `Tenant '${tenantAsked}' not found.`);
    }
    if (form.get('grant_type') !== 'client_credentials') {
      return refuse(400, 'unsupported_grant_type', 70_003, 'The app requested an unsupported grant type.');
    }
    if (form.get('client_id') !== clientId) {
      return refuse(
        400,
        'unauthorized_client',
        700_016,
        `Application with identifier '${form.get('client_id') ?? ''}' was not found in the directory.`,
      );
    }
    if (!/^https?:\/\/[^\s]+\/\.default$/.test(scopeOf(form))) {
      return refuse(
        400,
        'invalid_scope',
        1_002_012,
        'Client credential flows must have a scope value with /.default suffixed to the resource identifier.',
      );
    }
    const assertion = form.get('client_assertion');
    return assertion === null
      ? secretRefusal(form.get('client_secret'))
      : assertionRefusal(assertion, [
          endpoint,
          `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
        ]);
  }

  function secretRefusal(offered: string | null): Refusal | null {
    if (offered === null) {
      return refuse(
        401,
        'invalid_client',
        7_000_216,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
      );
    }
    const secret = secrets.get(offered);
    if (secret === undefined) {
      return refuse(401, 'invalid_client', 7_000_215, 'Invalid client secret provided.');
    }
    if (!secret.expired) return null;
    return refuse(
      401,
      'invalid_client',
      7_000_222,
      `The provided client secret keys for app '${clientId}' are expired.`,
    );
  }

  function assertionRefusal(assertion: string, audiences: readonly string[]): Refusal | null {
    const wrong = (detail: string) =>
      refuse(401, 'invalid_client', 700_027, `Client assertion failed signature validation: ${detail}`);
    const [head = '', payload = '', signature = ''] = assertion.split('.');
    const header = readJson(head);
    const claims = readJson(payload);
    if (header === null || claims === null) return wrong('not a JWT.');
    if (header.alg !== 'PS256') return wrong('the algorithm is not PS256.');
    const key = certificates.get(thumbprint(textIn(header, 'x5t#S256')));
    if (key === undefined) return wrong('the key was not found by its thumbprint.');
    const signed = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
      Buffer.from(signature, 'base64url'),
    );
    if (!signed) return wrong('the signature does not match.');
    if (!audiences.includes(textIn(claims, 'aud'))) {
      return refuse(401, 'invalid_client', 700_023, 'Client assertion audience claim does not match.');
    }
    if (claims.iss !== clientId || claims.sub !== clientId) {
      return refuse(
        401,
        'invalid_client',
        700_021,
        'Client assertion application identifier does not match.',
      );
    }
    const now = Date.now() / 1000;
    if (Number(claims.exp) < now || Number(claims.nbf ?? now) > now + 300) {
      return refuse(401, 'invalid_client', 700_024, 'Client assertion is not within its valid time range.');
    }
    return null;
  }

  return {
    tenant,
    clientId,
    clientSecret,
    expireSecret: () => {
      for (const secret of secrets.values()) secret.expired = true;
    },
    addSecret: () => {
      const secret = newSecret(random);
      secrets.set(secret, { expired: false });
      return secret;
    },
    registerCertificate: (certificate) => {
      certificates.set(thumbprint(certificate.thumbprintSha256), createPublicKey(certificate.pem));
    },
    setExpiresIn: (seconds) => {
      expiresIn = seconds;
    },
    revokeTokens: () => tokens.clear(),
    issued: () => issued,
    accepts: (authorization) => {
      const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
      const until = token === undefined ? undefined : tokens.get(token);
      return until !== undefined && until > Date.now();
    },
    serve: (app) => {
      app.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string' },
        (_request, body, done) => done(null, new URLSearchParams(String(body))),
      );
      app.post<{ Params: { tenant: string } }>('/:tenant/oauth2/v2.0/token', (request, reply) => {
        const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
        const endpoint = `http://${request.headers.host ?? ''}${request.url.split('?')[0]}`;
        const refusal = refusalOf(form, request.params.tenant, endpoint);
        if (refusal !== null) return reply.code(refusal.status).send(refusalBody(refusal, random));
        const token = `eyJ0eXAiOiJKV1QiLCJub25jZSI6${random.text(BASE64URL, 120)}`;
        tokens.set(token, Date.now() + expiresIn * 1000);
        issued += 1;
        return reply.header('cache-control', 'no-store, no-cache').send({
          token_type: 'Bearer',
          expires_in: expiresIn,
          ext_expires_in: expiresIn,
          access_token: token,
        });
      });
    },
  };
}

function refuse(status: 400 | 401, error: string, code: number, text: string): Refusal {
  return { status, error, code, text };
}

function refusalBody(refusal: Refusal, random: Random): Record<string, unknown> {
  const trace = guid(random);
  const correlation = guid(random);
  const timestamp = new Date()
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  return {
    error: refusal.error,
    error_description: `AADSTS${refusal.code}: ${refusal.text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [refusal.code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${refusal.code}`,
  };
}

/** MSAL adds the OpenID scopes to what the application asked for; the resource's own scope is what counts. */
function scopeOf(form: URLSearchParams): string {
  const asked = (form.get('scope') ?? '').split(' ');
  return asked.find((scope) => !['openid', 'profile', 'offline_access', ''].includes(scope)) ?? '';
}

function newSecret(random: Random): string {
  return `${random.text(BASE64URL, 3)}8Q~${random.text(BASE64URL, 34)}`;
}

/** Certificates are named in hex by administrators and in base64url by assertions; both become hex here. */
function thumbprint(text: string): string {
  const plain = text.replaceAll(':', '');
  return /^[0-9a-f]{64}$/i.test(plain)
    ? plain.toLowerCase()
    : Buffer.from(plain, 'base64url').toString('hex');
}

function textIn(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

function readJson(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
