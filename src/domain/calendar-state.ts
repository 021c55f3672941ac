/**
 * Whether a calendar can be read, always kept with a reason. There are no other states: whatever else goes wrong is
 * a reason for one of these.
 *
 * - `active`: it is read. `throttled`: it will be, the provider asked us to wait.
 * - `denied`: an administrator must grant access. `needs_consent`: its person must renew it.
 * - `gone`: the provider has no such calendar, said several times over more than an hour.
 * - `parked`: it is read, and cancellations inferred from it wait for a second look (`brake.ts`).
 */
export const CALENDAR_STATES = ['active', 'denied', 'gone', 'needs_consent', 'throttled', 'parked'] as const;
export type CalendarState = (typeof CALENDAR_STATES)[number];
