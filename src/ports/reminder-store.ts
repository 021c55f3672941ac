export interface ReminderStore {
  /** How many days ahead reminders are made: as far as the longest offset of any program asks; 0 when none reminds. */
  daysAhead(): Promise<number>;
  /**
   * Ids of the sessions that start after `now` and by `until`, ascending, a page at a time.
   * @param after the last id of the page before, 0 to begin
   */
  comingSessions(
    window: { readonly now: Date; readonly until: Date },
    after: number,
    limit: number,
  ): Promise<readonly number[]>;
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
