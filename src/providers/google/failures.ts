import { asFailure, Failure, type FailureKind, isFailure } from '../../domain/failure.ts';
import { isUntrusted } from '../../runtime/certificate.ts';

/** A refusal as it came over the wire. */
export interface Refusal {
  readonly status: number;
  /** Parsed JSON, or the text when it was none (a 502 page). */
  readonly body: unknown;
  readonly headers: { get(name: string): string | null };
}

type Verdict = readonly [kind: FailureKind, code: string];

const HOUR_MS = 3_600_000;

/**
 * By reason, which Google calls the thing to decide by: https://developers.google.com/workspace/calendar/api/guides/errors.
 * Calendar and Directory say it in camel case, the newer Meet API in capitals.
 */
const BY_REASON: Readonly<Record<string, Verdict>> = {
  rateLimitExceeded: ['throttled', 'rate_limited'],
  userRateLimitExceeded: ['throttled', 'rate_limited'],
  RATE_LIMIT_EXCEEDED: ['throttled', 'rate_limited'],
  RESOURCE_EXHAUSTED: ['throttled', 'rate_limited'],
  quotaExceeded: ['throttled', 'quota_exhausted'],
  dailyLimitExceeded: ['throttled', 'quota_exhausted'],
  accessNotConfigured: ['config', 'api_not_enabled'],
  SERVICE_DISABLED: ['config', 'api_not_enabled'],
  insufficientPermissions: ['config', 'scope_missing'],
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: ['config', 'scope_missing'],
  notACalendarUser: ['auth', 'not_a_calendar_user'],
  forbidden: ['auth', 'forbidden'],
  notAuthorized: ['auth', 'forbidden'],
  PERMISSION_DENIED: ['auth', 'forbidden'],
  // Only a write can meet this one, and it says nothing about the calendar.
  forbiddenForNonOrganizer: ['permanent', 'forbidden_for_non_organizer'],
  authError: ['auth', 'token_refused'],
  UNAUTHENTICATED: ['auth', 'token_refused'],
  // Holidays, birthdays and some shared calendars: to be remembered, nothing to be alarmed about.
  pushNotSupportedForRequestedResource: ['permanent', 'push_not_supported'],
  'push.webhookUrlUnauthorized': ['config', 'push_url_refused'],
  'push.webhookUrlNotHttps': ['config', 'push_url_refused'],
  webhookUrlUnauthorized: ['config', 'push_url_refused'],
  channelIdNotUnique: ['transient', 'channel_id_taken'],
  notFound: ['gone', 'not_found'],
  NOT_FOUND: ['gone', 'not_found'],
  deleted: ['gone', 'deleted'],
  fullSyncRequired: ['gone', 'cursor_lost'],
  updatedMinTooLongAgo: ['gone', 'cursor_lost'],
  backendError: ['transient', 'backend_error'],
  internalError: ['transient', 'backend_error'],
};

const BY_TOKEN_ERROR: Readonly<Record<string, Verdict>> = {
  // Of somebody outside the organisation it says only that; `credentials.ts` knows when.
  unauthorized_client: ['config', 'delegation_missing'],
  invalid_scope: ['config', 'scope_missing'],
  access_denied: ['config', 'policy_refused'],
  admin_policy_enforced: ['config', 'policy_refused'],
  invalid_client: ['config', 'key_refused'],
  deleted_client: ['config', 'key_refused'],
  disabled_client: ['config', 'key_refused'],
  invalid_request: ['gone', 'account_unknown'],
  internal_failure: ['transient', 'backend_error'],
};

/**
 * The token endpoint answers `invalid_grant` to a leaver, to a deleted key and to a wrong clock alike; one concerns
 * one person and the others everybody. Only the constants in `error_description` tell them apart.
 */
const BY_GRANT_DESCRIPTION: ReadonlyArray<readonly [start: string, verdict: Verdict]> = [
  ['Invalid JWT: Token must be a short-lived token', ['config', 'clock_skew']],
  ['Invalid JWT', ['config', 'key_refused']],
  ['Invalid email or User ID', ['gone', 'account_unknown']],
  ['Not a valid email', ['gone', 'account_unknown']],
  ['The account has been deleted', ['gone', 'account_unknown']],
  ['reauth related error', ['auth', 'session_control']],
];

/**
 * Classifies a refusal of any Google API or of the token endpoint: by reason first, then by status.
 * `retryAfterMs` is what `Retry-After` asks, or an hour for an exhausted quota, which short waits never cure.
 */
export function failureOfAnswer(refusal: Refusal, operation: string): Failure {
  const { reasons, location } = reasonsOf(refusal.body);
  const known = reasons.map((reason) => verdictOf(reason, location)).find((verdict) => verdict !== undefined);
  const tokenError = tokenVerdictOf(refusal.body);
  const [kind, code] = known ?? tokenError ?? verdictOfStatus(refusal, reasons[0]);
  const retryAfterMs = retryAfterOf(refusal.headers) ?? (code === 'quota_exhausted' ? HOUR_MS : undefined);
  return new Failure(kind, code, {
    provider: 'google',
    status: refusal.status,
    detail: [operation, refusal.status, reasons[0] ?? textField(refusal.body, 'error')]
      .filter(Boolean)
      .join(' '),
    retryAfterMs,
  });
}

/**
 * Classifies whatever a call threw. The client's error is not kept as the cause of an answer: it holds the
 * request with its token.
 */
export function failureOfThrown(thrown: unknown, operation: string, signal: AbortSignal): Failure {
  if (isFailure(thrown)) return thrown;
  if (signal.aborted) return new Failure('transient', 'aborted', { provider: 'google', detail: operation });
  const refusal = refusalOf(thrown);
  if (refusal !== null) return failureOfAnswer(refusal, operation);
  const code = field(thrown, 'code');
  if (code === 'TimeoutError')
    return new Failure('transient', 'timed_out', { provider: 'google', detail: operation });
  if (typeof code === 'string' && isUntrusted(code))
    return new Failure('config', 'certificate_untrusted', {
      provider: 'google',
      detail: `${operation} ${code}`,
    });
  if (typeof code === 'string' || field(thrown, 'config') !== undefined)
    return new Failure('transient', 'no_answer', {
      provider: 'google',
      detail: typeof code === 'string' ? `${operation} ${code}` : operation,
    });
  return asFailure(thrown);
}

/** An answer with status 200 that does not say what it must. A cut-off JSON arrives like this, as a text. */
export function malformedAnswer(operation: string, what: string): Failure {
  return new Failure('transient', 'malformed_answer', {
    provider: 'google',
    status: 200,
    detail: `${operation}: ${what}`,
  });
}

function verdictOf(reason: string, location: string | undefined): Verdict | undefined {
  // A token that cannot be read is as lost as one that expired.
  if (reason === 'invalid' && location === 'syncToken') return ['gone', 'cursor_lost'];
  if (reason === 'invalid' && location === 'pageToken') return ['gone', 'page_token_lost'];
  return Object.hasOwn(BY_REASON, reason) ? BY_REASON[reason] : undefined;
}

function verdictOfStatus({ status, body }: Refusal, reason: string | undefined): Verdict {
  // A page of a proxy in between: Google refuses in JSON, and nothing may be given up on another's word.
  if ((status === 403 || status === 404) && typeof body === 'string' && body !== '')
    return ['transient', 'malformed_answer'];
  if (status === 401) return ['auth', 'token_refused'];
  if (status === 403) return ['auth', 'forbidden'];
  if (status === 404) return ['gone', 'not_found'];
  if (status === 410) return ['gone', 'gone'];
  if (status === 429) return ['throttled', 'rate_limited'];
  if (status === 408 || status >= 500) return ['transient', 'backend_error'];
  return ['permanent', reason ?? `http_${status}`];
}

function tokenVerdictOf(body: unknown): Verdict | undefined {
  const error = textField(body, 'error');
  if (error === undefined) return undefined;
  if (error === 'invalid_grant') {
    const description = textField(body, 'error_description') ?? '';
    const known = BY_GRANT_DESCRIPTION.find(([start]) => description.startsWith(start));
    return known?.[1] ?? ['auth', 'grant_refused'];
  }
  return Object.hasOwn(BY_TOKEN_ERROR, error) ? BY_TOKEN_ERROR[error] : undefined;
}

/** The reasons of both error shapes, the most telling first: `errors[].reason`, `details[].reason`, `status`. */
function reasonsOf(body: unknown): { reasons: readonly string[]; location: string | undefined } {
  const error = field(body, 'error');
  const errors = listField(error, 'errors');
  const reasons = [
    ...errors.map((entry) => textField(entry, 'reason')),
    ...listField(error, 'details').map((entry) => textField(entry, 'reason')),
    textField(error, 'status'),
  ].filter((reason) => reason !== undefined && /^[\w.]{1,60}$/.test(reason));
  return { reasons: reasons as string[], location: textField(errors[0], 'location') };
}

/** Seconds, or a date measured against the answer's own `Date`, so that a wrong clock here does not matter. */
function retryAfterOf(headers: Refusal['headers']): number | undefined {
  const given = headers.get('retry-after')?.trim();
  if (!given) return undefined;
  if (/^\d+$/.test(given)) return Number(given) * 1000;
  const wait = Date.parse(given) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}

function refusalOf(thrown: unknown): Refusal | null {
  const response = field(thrown, 'response');
  const status = field(response, 'status');
  if (typeof status !== 'number') return null;
  const headers = field(response, 'headers');
  return { status, body: field(response, 'data'), headers: isReadable(headers) ? headers : new Headers() };
}

/** By what it can do: the client library brings a `Headers` of its own, which is no instance of Node's. */
function isReadable(headers: unknown): headers is Refusal['headers'] {
  return typeof field(headers, 'get') === 'function';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === 'string' ? found : undefined;
}

function listField(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}
