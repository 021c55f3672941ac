import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_KINDS, Failure, retryable } from '../../../src/domain/failure.ts';
import {
  createBudget,
  createBudgets,
  createLanes,
  withRetries,
} from '../../../src/providers/google/request.ts';

const signal = new AbortController().signal;

const anyFailure = fc
  .record({
    kind: fc.constantFrom(...FAILURE_KINDS),
    code: fc.constantFrom('timed_out', 'rate_limited', 'backend_error'),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 40_000 }), { nil: undefined }),
  })
  .map(({ kind, code, retryAfterMs }) => new Failure(kind, code, { retryAfterMs }));

describe('repetition', () => {
  it('never waits more than 20 s in all, never insists, and never repeats what will not pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFailure, { minLength: 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (failures, chance) => {
          const waits: number[] = [];
          let made = 0;
          const attempt = async () => {
            const failed = failures[made++];
            if (failed !== undefined) throw failed;
            return 'done';
          };
          const pace = {
            random: () => chance,
            sleep: async (milliseconds: number) => {
              waits.push(milliseconds);
            },
          };
          const ended = await withRetries(attempt, pace, signal, () => undefined).catch(
            (error: unknown) => error,
          );
          expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(20_000);
          expect(made).toBeLessThanOrEqual(5);
          expect(failures.slice(0, made - 1).every((failed) => retryable(failed.kind))).toBe(true);
          waits.forEach((wait, n) => {
            expect(wait).toBeGreaterThanOrEqual(failures[n]?.retryAfterMs ?? 0);
          });
          if (ended instanceof Failure) {
            expect(ended.kind).toBe(failures[made - 1]?.kind);
            if (ended.kind === 'throttled') expect(ended.retryAfterMs).toBeGreaterThan(0);
          } else expect(ended).toBe('done');
        },
      ),
    );
  });

  it('ends when nobody waits for it any more', async () => {
    const giveUp = new AbortController();
    let made = 0;
    const attempt = async () => {
      made++;
      throw new Failure('transient', 'backend_error');
    };
    const pace = {
      random: () => 0,
      sleep: async () => {
        giveUp.abort();
        throw new Error('woken');
      },
    };
    await expect(withRetries(attempt, pace, giveUp.signal, () => undefined)).rejects.toMatchObject({
      code: 'backend_error',
    });
    expect(made).toBe(1);
  });
});

describe('lanes', () => {
  it('bound one calendar and all of them', async () => {
    const lanes = createLanes(6);
    const flying = { all: 0, mostOfAll: 0, one: 0, mostOfOne: 0 };
    const gate = Promise.withResolvers<void>();
    const exchange = (calendar: string) =>
      lanes.ofCalendar(calendar, signal, () =>
        lanes.ofAll(signal, async () => {
          flying.all++;
          if (calendar === 'a') flying.one++;
          flying.mostOfAll = Math.max(flying.mostOfAll, flying.all);
          flying.mostOfOne = Math.max(flying.mostOfOne, flying.one);
          if (flying.all === 6) gate.resolve();
          await gate.promise;
          flying.all--;
          if (calendar === 'a') flying.one--;
        }),
      );
    await Promise.all(['a', 'a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'c', 'd'].map(exchange));
    expect(flying).toEqual({ all: 0, mostOfAll: 6, one: 0, mostOfOne: 4 });
  });
});

describe('the budget', () => {
  it('lets a burst go, then holds each one back for its share of the minute', async () => {
    const slept: number[] = [];
    const pace = { sleep: async (ms: number) => void slept.push(ms), random: () => 0.5 };
    const budget = createBudget(600, 20, pace);
    for (let asked = 0; asked < 20; asked += 1) expect(await budget.take(signal)).toBe(0);
    for (let asked = 0; asked < 60; asked += 1) await budget.take(signal);
    // A tenth of a second each, in turn, with half of that by chance.
    expect(slept.length).toBeGreaterThanOrEqual(59);
    expect(slept.toSorted((a, b) => a - b)).toEqual(slept);
    expect(slept.at(-1)).toBeGreaterThan(5_000);
    expect(slept.at(-1)).toBeLessThan(6_200);
  });

  it('of one person leaves the others alone, however many there are', async () => {
    const slept: number[] = [];
    const pace = { sleep: async (ms: number) => void slept.push(ms), random: () => 0 };
    const budgets = createBudgets(10, pace);
    for (let asked = 0; asked < 30; asked += 1) await budgets.take('ada', 600, signal);
    expect(slept.length).toBeGreaterThanOrEqual(19);
    const waited = slept.length;
    for (let other = 0; other < 3_000; other += 1) {
      expect(await budgets.take(`somebody ${other}`, 600, signal)).toBe(0);
    }
    // Ada's debt is not forgotten with those who have none.
    expect(await budgets.take('ada', 600, signal)).toBeGreaterThan(1_000);
    expect(slept).toHaveLength(waited + 1);
  });
});
