import { type Failure, type FailureKind, isFailure } from '../domain/failure.ts';
import { describeError } from '../runtime/redact.ts';

const MENDS: { readonly [K in FailureKind]: string } = {
  config:
    'A setting, a consent or a right is wrong. `cadenced doctor` tries each of them and says how to mend it.',
  auth: 'The credential was refused. `cadenced doctor` shows which one, and what it lacks.',
  gone: 'What was asked for is not there any more. Check the addresses in the roster; `cadenced doctor` tells more.',
  throttled: 'The other side asks for patience. Try again later.',
  transient:
    'Such a failure usually passes. Try again; if it stays, `cadenced doctor` helps to find where it begins.',
  permanent: 'Trying again will not help. `cadenced doctor` tells more.',
  bug: 'This is a mistake in cadenced. Please report it with this message and with what you did.',
};

/**
 * Any caught value as lines for a terminal: what happened, then what to do. Only our own words and scrubbed texts
 * are printed, because the messages of client libraries may quote a request with its credentials.
 */
export function renderProblem(caught: unknown): string[] {
  if (!isFailure(caught)) {
    const { code, message } = describeError(caught);
    const database = databaseProblem(code);
    if (database !== null) return database;
    const named = message.includes(code) ? message : `${message} (${code})`;
    return [`Something unexpected happened: ${named}`, MENDS.bug];
  }
  // The store's own texts already end in what to do.
  if (caught.message === caught.detail || !caught.message.startsWith(`${caught.kind}/`))
    return [caught.message];
  return [`${told(caught)}.`, mendOf(caught)];
}

/** What the driver says after the database was opened, by SQLSTATE or system code. */
function databaseProblem(code: string): string[] | null {
  if (code === '42501') {
    return [
      'PostgreSQL: this database user may not do that (42501).',
      'Use the user that owns the schemas cadenced and mentoring, the one the daemon runs as.',
    ];
  }
  if (/^(?:08...|57P..|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code)) {
    return [`The connection to PostgreSQL was lost (${code}).`, MENDS.transient];
  }
  return null;
}

/** A failure in one line: `mailbox_denied (auth, microsoft, HTTP 403): the mailbox refuses us`. */
export function told(failure: Failure): string {
  const facts = [
    failure.kind,
    failure.provider,
    failure.status === undefined ? undefined : `HTTP ${failure.status}`,
  ];
  const detail = failure.detail === undefined ? '' : `: ${failure.detail}`;
  return `${failure.code} (${facts.filter((fact) => fact !== undefined).join(', ')})${detail}`;
}

/** What a person can do about a failure. */
export function mendOf(failure: Failure): string {
  if (failure.retryAfterMs === undefined) return MENDS[failure.kind];
  return `The other side asks to wait ${Math.ceil(failure.retryAfterMs / 1000)} s. Try again after that.`;
}
