export interface ReminderStore {
  /** How many days ahead reminders are made: as far as the longest offset of any program asks; 0 when none reminds. */
  daysAhead(): Promise<number>;
  /** Ids of the sessions that start after `now` and by `until`, the earliest first, a page of so many at a time. */
  comingSessions(
    window: { readonly now: Date; readonly until: Date },
    page: number,
  ): AsyncIterable<readonly number[]>;
  /**
   * Makes, moves or suppresses the reminders of the given sessions as policy, roster and zones have them now, in one
   * transaction; a second call writes nothing.
   */
  replan(sessionIds: readonly number[], now: Date): Promise<void>;
  /**
   * Queues a nudge to every member of a mentorship whose planned session comes near while no calendar holds it, once
   * a plan and person, and takes back those that waited and whose plan was booked or withdrawn since.
   * @returns how many were queued
   */
  nudge(now: Date): Promise<number>;
}
