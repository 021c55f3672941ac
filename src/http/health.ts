import type { FastifyInstance } from 'fastify';

/** What `/freshness` tells to whoever asks: counts, never whose calendars. */
export type Freshness = {
  /** Whether every calendar that ought to be readable was read completely not too long ago. */
  readonly isFresh: boolean;
  readonly calendars: number;
  readonly stale: number;
  /** ISO 8601 in UTC; null while there is none. */
  readonly oldestCompletePassAt: string | null;
};

export type HealthChecks = {
  /** Whether Postgres answers and the schema is the one this code expects. */
  readonly isReady: () => Promise<boolean>;
  readonly readFreshness: () => Promise<Freshness>;
  /** How long a probe waits for either before it is told 503. */
  readonly patienceMs?: number;
};

/** A flood of probes becomes one question a second to Postgres. */
const REMEMBERED_MS = 1000;
/** A database that hangs is not ready; a probe is told so before it gives up itself. */
const PATIENCE_MS = 4000;

/**
 * `/healthz`: the process serves (never asks anything, so that a slow database gets nobody restarted).
 * `/readyz`: route traffic here. `/freshness`: alert on it, never route by it, since a calendar that cannot be
 * read is no reason to turn away the notifications of the others.
 */
export function healthRoutes(app: FastifyInstance, checks: HealthChecks): void {
  const patience = checks.patienceMs ?? PATIENCE_MS;
  const isReady = remembered(checks.isReady);
  const readFreshness = remembered(checks.readFreshness);

  app.get('/healthz', { config: { rateLimit: false } }, async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    const ready = await within(patience, isReady(), false);
    return ready ? { status: 'ready' } : reply.code(503).send({ status: 'not_ready' });
  });

  app.get('/freshness', async (_request, reply) => {
    const freshness = await within(patience, readFreshness(), null);
    if (freshness === null) return reply.code(503).send({ status: 'unknown' });
    const { isFresh, calendars, stale, oldestCompletePassAt } = freshness;
    return reply.code(isFresh ? 200 : 503).send({
      status: isFresh ? 'fresh' : 'sight_lost',
      calendars,
      stale,
      oldest_complete_pass_at: oldestCompletePassAt,
    });
  });
}

/** One answer for all who ask while it is being found and for a moment after. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly answer: Promise<T>; readonly until: number } | undefined;
  return () => {
    if (last === undefined || performance.now() >= last.until) {
      const answer = ask();
      const current = { answer, until: Number.POSITIVE_INFINITY };
      last = current;
      const settle = () => {
        if (last === current) last = { answer, until: performance.now() + REMEMBERED_MS };
      };
      answer.then(settle, settle);
    }
    return last.answer;
  };
}

/** The answer, or `otherwise` when it fails or takes too long. */
async function within<T, U>(milliseconds: number, answer: Promise<T>, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<U>((resolve) => {
    timer = setTimeout(resolve, milliseconds, otherwise);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } catch {
    // Why it failed is for the log of whoever owns the check; the prober needs only the verdict.
    return otherwise;
  } finally {
    clearTimeout(timer);
  }
}
