import { failure } from '../../domain/failure.ts';
import type { Log } from '../../runtime/log.ts';

/** How often a calendar's round was begun anew because Graph forgot it. */
export type Restarts = {
  /**
   * A round begins without a cursor.
   * @throws Failure `throttled`/`restarts_exhausted` where Graph forgot this mailbox's rounds too often lately: a
   *   full round is the dearest request there is, and the next one would be forgotten as well
   */
  begin(mailbox: string): void;
  /** Graph no longer knows the round, or the cursor. */
  lost(mailbox: string): void;
  finished(mailbox: string): void;
};

const AN_HOUR_MS = 3_600_000;
const MOST_IN_AN_HOUR = 3;

type History = { lost: boolean; told: boolean; begun: number[] };

/** @param deps.elapsed milliseconds since any fixed moment, by the machine */
export function createRestarts(deps: { readonly log: Log; readonly elapsed: () => number }): Restarts {
  // Only mailboxes in trouble stand here, and a round that ends takes them out.
  const histories = new Map<string, History>();
  return {
    begin(mailbox) {
      const history = histories.get(mailbox);
      if (!history?.lost) return;
      const now = deps.elapsed();
      history.begun = history.begun.filter((at) => now - at < AN_HOUR_MS);
      const [oldest] = history.begun;
      if (oldest !== undefined && history.begun.length >= MOST_IN_AN_HOUR) {
        if (!history.told) {
          history.told = true;
          deps.log.error({ calendar: mailbox }, 'graph forgets each round of this calendar before it ends');
        }
        const retryAfterMs = oldest + AN_HOUR_MS - now;
        throw failure.throttled('restarts_exhausted', { provider: 'microsoft', retryAfterMs });
      }
      history.begun.push(now);
      history.lost = false;
    },
    lost(mailbox) {
      const history = histories.get(mailbox) ?? { lost: false, told: false, begun: [] };
      history.lost = true;
      histories.set(mailbox, history);
    },
    finished(mailbox) {
      const history = histories.get(mailbox);
      if (history === undefined) return;
      history.told = false;
      const recent = history.begun.some((at) => deps.elapsed() - at < AN_HOUR_MS);
      // Rounds that end only to be forgotten are counted as well.
      if (!recent) histories.delete(mailbox);
    },
  };
}
