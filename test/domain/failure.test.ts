import { describe, expect, it } from 'vitest';
import {
  asFailure,
  FAILURE_KINDS,
  Failure,
  failure,
  isFailure,
  retryable,
} from '../../src/domain/failure.ts';

describe('a failure', () => {
  it('is retried only when the same request may succeed later', () => {
    expect(FAILURE_KINDS.filter(retryable)).toEqual(['throttled', 'transient']);
  });

  it.each(FAILURE_KINDS)('of kind %s is built and recognised', (kind) => {
    const built = failure[kind]('some_code', { status: 400 });
    expect(built).toMatchObject({ kind, code: 'some_code', status: 400, message: `${kind}/some_code` });
    expect(FAILURE_KINDS.filter((other) => isFailure(built, other))).toEqual([kind]);
  });

  it('keeps a detail short', () => {
    const built = failure.permanent('refused', { detail: 'd'.repeat(999) });
    expect(built.detail).toHaveLength(200);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('forgets a waiting time of %s', (retryAfterMs) => {
    expect('retryAfterMs' in failure.throttled('rate_limited', { retryAfterMs })).toBe(false);
    expect(failure.throttled('rate_limited', { retryAfterMs: 0 }).retryAfterMs).toBe(0);
  });

  it('is made of anything that was thrown, without repeating what it said', () => {
    const known = failure.gone('not_found');
    expect(asFailure(known)).toBe(known);
    const foreign = asFailure(new TypeError('token=abc'));
    expect(foreign).toBeInstanceOf(Failure);
    expect(foreign).toMatchObject({ kind: 'bug', code: 'unexpected_error', detail: 'unexpected TypeError' });
    expect(foreign.message).not.toContain('abc');
    expect(isFailure('text')).toBe(false);
  });
});
