import type { Kysely } from 'kysely';
import type { Clock } from '../runtime/clock.ts';
import type { DB } from '../store/database.generated.ts';
import {
  longestReminderDays,
  pageOfComingSessions,
  planReminders,
  queueNudges,
  REMINDERS_AHEAD_DAYS,
} from '../store/reminders.ts';

export type PlanRemindersDeps = { readonly db: Kysely<DB>; readonly clock: Clock };

const PAGE = 500;

/**
 * Plans the reminders of the coming days again, and nudges about plans that nobody has booked. A sync plans the
 * reminders of what it changes; this catches what changes without one: a policy, a roster, a person's zone.
 * @returns how many sessions were looked at and how many nudges were queued
 */
export async function replanReminders(
  deps: PlanRemindersDeps,
): Promise<{ sessions: number; nudges: number }> {
  const now = deps.clock.now();
  const days = await longestReminderDays(deps.db);
  const window = { now: now.toJSDate(), until: now.plus({ days: days + REMINDERS_AHEAD_DAYS }).toJSDate() };
  let sessions = 0;
  for (let after = 0; days > 0; ) {
    const page = await pageOfComingSessions(deps.db, window, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last;
    sessions += page.length;
    await deps.db.transaction().execute((trx) => planReminders(trx, page, window.now));
  }
  const nudges = await deps.db.transaction().execute((trx) => queueNudges(trx, window.now));
  return { sessions, nudges };
}
