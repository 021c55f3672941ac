import { describe, expect, it } from 'vitest';
import { failureOfAnswer, failureOfThrown } from '../../../src/providers/google/failures.ts';

const quiet = new AbortController().signal;

function classified(status: number, body: unknown, headers: Record<string, string> = {}) {
  const { kind, code, retryAfterMs } = failureOfAnswer(
    { status, body, headers: new Headers(headers) },
    'events.list',
  );
  return { verdict: `${kind}/${code}`, retryAfterMs };
}

const api = (reason: string, location?: string) => ({
  error: { code: 0, errors: [{ domain: 'global', reason, location, message: 'Rate Limit Exceeded' }] },
});

describe('what Google refuses', () => {
  it.each([
    [403, api('rateLimitExceeded'), 'throttled/rate_limited'],
    [403, api('userRateLimitExceeded'), 'throttled/rate_limited'],
    [429, api('rateLimitExceeded'), 'throttled/rate_limited'],
    [429, 'Too many', 'throttled/rate_limited'],
    [403, api('quotaExceeded'), 'throttled/quota_exhausted'],
    [403, api('dailyLimitExceeded'), 'throttled/quota_exhausted'],
    [403, api('accessNotConfigured'), 'config/api_not_enabled'],
    [403, api('insufficientPermissions'), 'config/scope_missing'],
    [403, api('forbidden'), 'auth/forbidden'],
    [403, api('notACalendarUser'), 'auth/not_a_calendar_user'],
    [401, api('authError'), 'auth/token_refused'],
    [404, api('notFound'), 'gone/not_found'],
    [410, api('fullSyncRequired', 'syncToken'), 'gone/cursor_lost'],
    [410, api('updatedMinTooLongAgo', 'updatedMin'), 'gone/cursor_lost'],
    [410, api('deleted'), 'gone/deleted'],
    [400, api('invalid', 'syncToken'), 'gone/cursor_lost'],
    [400, api('invalid', 'pageToken'), 'gone/page_token_lost'],
    [400, api('invalid', 'timeMin'), 'permanent/invalid'],
    [400, api('timeRangeEmpty'), 'permanent/timeRangeEmpty'],
    [409, api('duplicate'), 'permanent/duplicate'],
    [500, api('backendError'), 'transient/backend_error'],
    [503, null, 'transient/backend_error'],
    [502, '<html>Bad Gateway</html>', 'transient/backend_error'],
    // A proxy in between: not Google's word.
    [403, '<html>Blocked by policy</html>', 'transient/malformed_answer'],
    [404, '<html>Not Found</html>', 'transient/malformed_answer'],
    [404, undefined, 'gone/not_found'],
    [418, undefined, 'permanent/http_418'],
    [400, api('constructor'), 'permanent/constructor'],
  ])('%s %j is %s', (status, body, verdict) => {
    expect(classified(status, body).verdict).toBe(verdict);
  });

  it.each([
    ['PERMISSION_DENIED', [], 403, 'auth/forbidden'],
    ['PERMISSION_DENIED', [{ reason: 'SERVICE_DISABLED' }], 403, 'config/api_not_enabled'],
    ['PERMISSION_DENIED', [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }], 403, 'config/scope_missing'],
    ['RESOURCE_EXHAUSTED', [], 429, 'throttled/rate_limited'],
    ['NOT_FOUND', [], 404, 'gone/not_found'],
    ['UNAUTHENTICATED', [], 401, 'auth/token_refused'],
  ])('Meet says %s with details %j', (status, details, code, verdict) => {
    expect(classified(code, { error: { code, status, details } }).verdict).toBe(verdict);
  });

  it.each([
    [
      401,
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens',
      'config/delegation_missing',
    ],
    [400, 'invalid_grant', 'Invalid email or User ID', 'gone/account_unknown'],
    [400, 'invalid_grant', 'The account has been deleted', 'gone/account_unknown'],
    [400, 'invalid_request', 'Invalid impersonation prn email address.', 'gone/account_unknown'],
    [
      400,
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
      'config/clock_skew',
    ],
    [400, 'invalid_grant', 'Invalid JWT Signature.', 'config/key_refused'],
    [400, 'invalid_grant', 'Invalid JWT: No valid verifier found for issuer', 'config/key_refused'],
    [400, 'invalid_grant', 'reauth related error (invalid_rapt)', 'auth/session_control'],
    [400, 'invalid_grant', 'something new', 'auth/grant_refused'],
    [403, 'access_denied', '', 'config/policy_refused'],
    [400, 'admin_policy_enforced', '', 'config/policy_refused'],
    [401, 'invalid_client', 'The OAuth client was not found.', 'config/key_refused'],
    [500, 'internal_failure', '', 'transient/backend_error'],
    [503, 'whatever', '', 'transient/backend_error'],
  ])('the token endpoint says %s %s: %s', (status, error, error_description, verdict) => {
    expect(classified(status, { error, error_description }).verdict).toBe(verdict);
  });

  it('takes the wait from Retry-After, in seconds or as a date against the answer’s own date', () => {
    const body = api('rateLimitExceeded');
    expect(classified(429, body, { 'retry-after': '7' }).retryAfterMs).toBe(7000);
    const date = { date: 'Sat, 21 Nov 2026 12:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 12:01:30 GMT' };
    expect(classified(429, body, date).retryAfterMs).toBe(90_000);
    expect(classified(429, body, { 'retry-after': 'soon' }).retryAfterMs).toBeUndefined();
    expect(classified(403, api('quotaExceeded')).retryAfterMs).toBe(3_600_000);
  });

  it('keeps neither the message nor the client’s error', () => {
    const thrown = Object.assign(new Error('refresh_token=secret'), {
      config: { headers: { authorization: 'Bearer secret' } },
      response: { status: 403, data: api('forbidden'), headers: new Headers() },
    });
    const failed = failureOfThrown(thrown, 'events.list', quiet);
    expect(failed).toMatchObject({ kind: 'auth', code: 'forbidden', status: 403 });
    expect(failed.cause).toBeUndefined();
    expect(failed.message).not.toContain('secret');
    // What an answer says in words may quote what was asked: a subject's address, a channel's token.
    const body = {
      error: { code: 400, message: 'secret', errors: [{ reason: 'invalid', message: 'secret' }] },
    };
    const refused = failureOfAnswer({ status: 400, body, headers: new Headers() }, 'events.watch');
    expect(refused.message).toBe('permanent/invalid: events.watch 400 invalid');
    const token = { error: 'invalid_grant', error_description: 'Invalid JWT: secret' };
    expect(failureOfAnswer({ status: 400, body: token, headers: new Headers() }, 'token').message).toBe(
      'config/key_refused: token 400 invalid_grant',
    );
  });

  it.each([
    [{ code: 'TimeoutError' }, 'transient/timed_out'],
    [{ code: 'ECONNRESET' }, 'transient/no_answer'],
    [{ code: 'ENOTFOUND' }, 'transient/no_answer'],
    [{ config: {} }, 'transient/no_answer'],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'config/certificate_untrusted'],
    [{ code: 'CERT_HAS_EXPIRED' }, 'config/certificate_untrusted'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'config/certificate_untrusted'],
    [{ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }, 'transient/no_answer'],
    [{}, 'bug/unexpected_error'],
  ])('a thrown error with %j is %s', (facts, verdict) => {
    const { kind, code } = failureOfThrown(Object.assign(new Error('x'), facts), 'events.list', quiet);
    expect(`${kind}/${code}`).toBe(verdict);
  });
});
