import { Failure, type FailureKind } from '../domain/failure.ts';

/**
 * A failure somebody has to read at a terminal before the daemon has started: what is wrong, where, and how to
 * mend it. The text is ours alone (no driver message, no password), so it is not cut at the usual length.
 */
export function problem(kind: FailureKind, code: string, text: string, cause?: unknown): Failure {
  const told = new Failure(kind, code, { provider: 'postgres', detail: text, cause });
  told.message = text;
  return told;
}

/** The five-character SQLSTATE of a driver error, or the system's code (`ECONNREFUSED`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
