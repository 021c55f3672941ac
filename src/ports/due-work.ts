/** What has fallen due, as one look at the database tells. */
export interface DueWork {
  /** Calendars that a push made due, or that are to be looked at again after one: before all others. */
  readonly pushed: readonly number[];
  /** The other calendars to be synced now, the longest overdue first. */
  readonly calendars: readonly number[];
  /** Push channels to be opened, renewed or closed. */
  readonly channels: boolean;
  readonly evidence: boolean;
  readonly judgements: boolean;
  /** Mentorships to be compared with their alerts. */
  readonly cadence: boolean;
  /** Months to be counted again. */
  readonly months: boolean;
  readonly mails: boolean;
  readonly webhooks: boolean;
}

export interface WorkFinder {
  /** Takes notice of plans that other programs wrote down. What they make due is found by the next `find`. */
  takeUpPlans(): Promise<void>;
  /** @param limit how many calendars of each sort at most */
  find(limit: number): Promise<DueWork>;
}
