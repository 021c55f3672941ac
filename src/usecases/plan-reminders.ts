import type { ReminderStore } from '../ports/reminder-store.ts';
import type { Clock } from '../runtime/clock.ts';

export type PlanRemindersDeps = { readonly store: ReminderStore; readonly clock: Clock };

const PAGE = 500;

/**
 * Plans the reminders of the coming days again, and nudges about plans that nobody has booked. A sync plans the
 * reminders of what it changes; this catches what changes without one: a policy, a roster, a person's zone.
 * @returns how many sessions were looked at and how many nudges were queued
 */
export async function replanReminders(
  deps: PlanRemindersDeps,
): Promise<{ sessions: number; nudges: number }> {
  const { store } = deps;
  const now = deps.clock.now();
  const days = await store.daysAhead();
  const window = { now: now.toJSDate(), until: now.plus({ days }).toJSDate() };
  let sessions = 0;
  if (days > 0) {
    for await (const page of store.comingSessions(window, PAGE)) {
      sessions += page.length;
      await store.replan(page, window.now);
    }
  }
  const nudges = await store.nudge(window.now);
  return { sessions, nudges };
}
