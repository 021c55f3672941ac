import type { Harvest } from '../domain/conference-record.ts';
import type { HarvestSource } from '../domain/harvest.ts';
import type { Conference, Window } from '../domain/observation.ts';

/** A conference provider's record of who was in a call. */
export interface EvidenceSource {
  /** The name used in `evidence.source`. */
  readonly source: HarvestSource;
  /**
   * Reads the records of a conference that overlap the window.
   * @param eventIds the meeting's ids on calendars: a record that names one of them is read if it began within a day
   * @param organizer primary address of the meeting's organizer: both providers answer organizers only
   * @throws Failure as `CalendarSource`; `cannot_tell` is an answer, not a failure
   */
  read(
    meeting: {
      readonly organizer: string;
      readonly conference: Conference;
      readonly window: Window;
      readonly eventIds?: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<Harvest>;
}
