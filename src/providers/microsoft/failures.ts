import { type Failure, type FailureFacts, failure, isFailure } from '../../domain/failure.ts';
import { isUntrusted } from '../../runtime/certificate.ts';

/** What Entra said to a token request; `body` is empty where it was not JSON. */
export type TokenAnswer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | undefined;
};

/**
 * The sync state is dead. Graph documents 410 and "a 40X-series error with codes such as syncStateNotFound",
 * so the code counts before the status (https://learn.microsoft.com/graph/delta-query-overview).
 */
const CURSOR_LOST = new Set([
  'syncstatenotfound',
  'syncstateinvalid',
  'resyncrequired',
  'errorinvalidsyncstatedata',
]);
const NO_MAILBOX = new Set(['mailboxnotenabledforrestapi', 'mailboxnotsupportedforrestapi']);
const USER_GONE = new Set([
  'resourcenotfound',
  'request_resourcenotfound',
  'errorinvaliduser',
  'errornonexistentmailbox',
]);
/** Graph called the address it was given for notifications, and was not answered as it must be. */
const NOT_VALIDATED = new Set(['validationerror']);
const ITEM_NOT_FOUND = new Set(['erroritemnotfound', 'itemnotfound']);

/**
 * The Failure behind an answer that is not a success.
 * @param status HTTP status, 3xx included: redirects are never followed
 * @param body parsed JSON, or `null` where it could not be parsed
 * @param now machine time in milliseconds, for a `Retry-After` that is a date
 */
export function answerFailure(status: number, body: unknown, headers: Headers, now: number): Failure {
  const codes = codesOf(body);
  const known = (set: ReadonlySet<string>) => codes.some((code) => set.has(code.toLowerCase()));
  // A gateway may answer with Graph's body and headers of its own.
  const requestId = headers.get('request-id') ?? requestIdIn(body);
  const named = [codes[0], requestId && `request-id ${requestId}`].filter(Boolean).join(', ');
  const facts: FailureFacts = {
    provider: 'microsoft',
    status,
    retryAfterMs: retryAfterOf(headers, now),
    ...(named && { detail: named }),
  };
  if (known(CURSOR_LOST) || status === 410) return failure.gone('cursor_lost', facts);
  if (status === 401) return failure.auth('token_refused', facts);
  // Graph refuses in JSON. A page of HTML or half an answer comes from somebody in between, or was cut off.
  if ((status === 403 || status === 404) && body === null) {
    return failure.transient('unreadable_answer', facts);
  }
  // One mailbox outside of the access policy; that nobody may be read at all shows when all are.
  if (status === 403) return failure.permanent('access_denied', facts);
  if (status === 404) {
    if (known(NO_MAILBOX)) return failure.gone('no_mailbox', facts);
    if (known(USER_GONE)) return failure.gone('user_gone', facts);
    if (known(ITEM_NOT_FOUND)) return failure.gone('item_not_found', facts);
    // A 404 that names nothing may come from a proxy or a wrong base URL; it must not pass for a deletion.
    return failure.gone('not_found', facts);
  }
  if (status === 429 || status === 509) return failure.throttled('throttled', facts);
  if (status === 408 || status >= 500) return failure.transient('server_error', facts);
  if (status >= 300 && status < 400) return failure.transient('unexpected_redirect', facts);
  if (status === 400 && known(NOT_VALIDATED)) return failure.config('push_url_refused', facts);
  if (status === 400) return failure.bug('bad_request', facts);
  return failure.permanent('refused', facts);
}

/**
 * The Failure behind a request that brought no answer: a reset, a time-out, a name that does not resolve, a certificate
 * that is not trusted.
 */
export function thrownFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return failure.transient('timeout', { provider: 'microsoft', cause: error });
  if (name === 'AbortError') return failure.transient('aborted', { provider: 'microsoft', cause: error });
  // Whatever breaks while sending or reading, undici throws it as a TypeError with the reason as its cause.
  if (error instanceof TypeError) {
    const code = systemCode(error.cause);
    if (code !== undefined && isUntrusted(code)) {
      return failure.config('certificate_untrusted', { provider: 'microsoft', cause: error, detail: code });
    }
    return failure.transient('network', {
      provider: 'microsoft',
      cause: error,
      ...(code && { detail: code }),
    });
  }
  return failure.bug('unexpected_error', { provider: 'microsoft', cause: error });
}

/** A success whose body is not what Graph sends: cut off, or a page of somebody in between. */
export function unreadable(what: string, status = 200): Failure {
  return failure.transient('unreadable_answer', { provider: 'microsoft', status, detail: what });
}

/**
 * The Failure behind a token that was not given.
 * @param answer what Entra said, if it said anything
 * @param thrown what the network client threw, if it did
 * @param error what msal made of it
 */
export function tokenFailure(answer: TokenAnswer | undefined, thrown: unknown, error: unknown): Failure {
  if (thrown !== undefined) return thrownFailure(thrown);
  // msal threw before it asked: a tenant such as `common`, a key that cannot be read.
  if (answer === undefined) return failure.config('client_settings', { provider: 'microsoft', cause: error });
  const { status, body, retryAfterMs } = answer;
  const numbers = Array.isArray(body.error_codes)
    ? body.error_codes.filter(Number.isInteger).map(String)
    : [];
  const named = typeof body.error === 'string' ? body.error : '';
  const detail = [named, ...numbers.map((number) => `AADSTS${number}`)].filter(Boolean).join(' ');
  const facts: FailureFacts = { provider: 'microsoft', status, retryAfterMs, ...(detail && { detail }) };
  if (status === 429) return failure.throttled('token_throttled', facts);
  if (status === 408 || status >= 500) return failure.transient('token_endpoint', facts);
  if (status < 400 || !named) return failure.transient('token_unreadable', facts);
  // All of these concern the one application, not a person whose calendar is read with it.
  // https://learn.microsoft.com/entra/identity-platform/reference-error-codes
  if (numbers.includes('7000222')) return failure.config('secret_expired', facts);
  if (numbers.includes('700016')) return failure.config('application_unknown', facts);
  if (numbers.includes('90002')) return failure.config('tenant_unknown', facts);
  if (named === 'invalid_client' || named === 'unauthorized_client') {
    return failure.config('credential_refused', facts);
  }
  return failure.config('token_refused', facts);
}

/**
 * `Retry-After` in milliseconds from `now`: seconds or an HTTP date; `undefined` where it is absent or
 * unreadable, because "at once" would be the wrong guess.
 */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The codes of a Graph error from the outside in; the inner key is spelled in two ways. */
function codesOf(body: unknown): readonly string[] {
  const codes: string[] = [];
  let level: unknown = field(body, 'error');
  for (let depth = 0; depth < 5 && level !== undefined; depth += 1) {
    const code = field(level, 'code');
    if (typeof code === 'string' && code) codes.push(code);
    level = field(level, 'innerError') ?? field(level, 'innererror');
  }
  return codes;
}

function requestIdIn(body: unknown): string | null {
  const error = field(body, 'error');
  const inner = field(error, 'innerError') ?? field(error, 'innererror');
  const id = field(inner, 'request-id');
  return typeof id === 'string' ? id : null;
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[key] ?? undefined;
}

function systemCode(cause: unknown): string | undefined {
  const code = field(cause, 'code');
  return typeof code === 'string' ? code : undefined;
}
