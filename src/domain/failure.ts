/**
 * The closed union of everything that can go wrong, and what each kind asks of whoever catches it:
 *
 * - `config`: a setting, a consent or a scope is wrong; retrying is useless until a person changes it.
 * - `auth`: the credential was refused; one renewal may help, then a person must look.
 * - `gone`: the thing asked for is no longer there (a sync token, a calendar, a channel).
 * - `throttled`: the other side asks for less; `retryAfterMs` says how long, when it said so.
 * - `transient`: the same request may succeed later (a time-out, a reset connection, a 5xx).
 * - `permanent`: the same request will be refused for ever.
 * - `bug`: our own mistake; never retried in silence.
 */
export const FAILURE_KINDS = [
  'config',
  'auth',
  'gone',
  'throttled',
  'transient',
  'permanent',
  'bug',
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Where a failure came from. The union is open at its end only for what the daemon itself talks to. */
export type FailureProvider = 'google' | 'microsoft' | 'smtp' | 'webhook' | 'postgres';

/** What may be told about a failure besides its kind and code. */
export type FailureFacts = {
  /** At most 200 characters survive; whoever writes it keeps secrets and personal data out of it. */
  readonly detail?: string | undefined;
  /** Milliseconds the other side asked us to wait. Kept only when finite and not negative. */
  readonly retryAfterMs?: number | undefined;
  readonly provider?: FailureProvider | undefined;
  /** The HTTP or SMTP status that decided the kind. */
  readonly status?: number | undefined;
  /** Kept for a debugger; the log never prints it, because raw client errors carry tokens and bodies. */
  readonly cause?: unknown;
};

export const DETAIL_LIMIT = 200;

/**
 * The only error that crosses a seam. `code` is a stable short machine reason (`sync_token_expired`,
 * `mailbox_denied`, `not_found`): callers branch on `kind` and `code`, never on the message.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly code: string;
  // Declared only: a class field would exist as undefined, and printed facts would look known.
  declare readonly detail?: string;
  declare readonly retryAfterMs?: number;
  declare readonly provider?: FailureProvider;
  declare readonly status?: number;

  constructor(kind: FailureKind, code: string, facts: FailureFacts = {}) {
    const detail = facts.detail?.slice(0, DETAIL_LIMIT);
    super(
      detail === undefined ? `${kind}/${code}` : `${kind}/${code}: ${detail}`,
      facts.cause === undefined ? undefined : { cause: facts.cause },
    );
    this.kind = kind;
    this.code = code;
    if (detail !== undefined) this.detail = detail;
    // A header that could not be read must not become an endless or immediate retry.
    if (facts.retryAfterMs !== undefined && Number.isFinite(facts.retryAfterMs) && facts.retryAfterMs >= 0) {
      this.retryAfterMs = facts.retryAfterMs;
    }
    if (facts.provider !== undefined) this.provider = facts.provider;
    if (facts.status !== undefined) this.status = facts.status;
  }
}

type Construct = (code: string, facts?: FailureFacts) => Failure;

/** One constructor a kind: `failure.gone('sync_token_expired', { provider: 'google', status: 410 })`. */
export const failure: { readonly [K in FailureKind]: Construct } = {
  config: (code, facts) => new Failure('config', code, facts),
  auth: (code, facts) => new Failure('auth', code, facts),
  gone: (code, facts) => new Failure('gone', code, facts),
  throttled: (code, facts) => new Failure('throttled', code, facts),
  transient: (code, facts) => new Failure('transient', code, facts),
  permanent: (code, facts) => new Failure('permanent', code, facts),
  bug: (code, facts) => new Failure('bug', code, facts),
};

/** Whether a caught value is a Failure, optionally of one kind. */
export function isFailure(value: unknown, kind?: FailureKind): value is Failure {
  return value instanceof Failure && (kind === undefined || value.kind === kind);
}

/** Any caught value as a Failure: a Failure as it is, anything else a `bug` that names only its class. */
export function asFailure(value: unknown): Failure {
  if (value instanceof Failure) return value;
  // The message of a foreign error may quote a request with its credentials, so it stays in `cause`.
  const thrown = value instanceof Error ? value.name : typeof value;
  return new Failure('bug', 'unexpected_error', { detail: `unexpected ${thrown}`, cause: value });
}

const RETRYABLE: { readonly [K in FailureKind]: boolean } = {
  config: false,
  auth: false,
  gone: false,
  throttled: true,
  transient: true,
  permanent: false,
  bug: false,
};

/** Whether the same request may succeed later without anybody changing anything. */
export function retryable(kind: FailureKind): boolean {
  return RETRYABLE[kind];
}
