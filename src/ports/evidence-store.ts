import type { Directory, LearntAccount, Statement } from '../domain/evidence.ts';
import type { HarvestSource } from '../domain/harvest.ts';
import type { Conference, Provider } from '../domain/observation.ts';
import type { Scheduled } from '../domain/record-owner.ts';

/** A meeting that one source is to be asked about now. Times are milliseconds. */
export interface DueHarvest extends Scheduled {
  readonly source: HarvestSource;
  readonly attempts: number;
  /** What the source said when its word was taken for final; `null` while it is waited for. */
  readonly word: string | null;
  /** `null` when the meeting has meanwhile got another link. */
  readonly conference: Conference | null;
  /**
   * Whom the source answers; `null` when no copy names one. Of somebody known it is the address that Google knows
   * them by, whichever alias the entry names.
   */
  readonly organizer: string | null;
  /** Every meeting nearby that shares the link, this one included: a record belongs to one of them only. */
  readonly neighbours: readonly Scheduled[];
}

/** What one look at one source gave, ready to be kept. */
export interface HarvestResult {
  readonly occurrenceId: number;
  readonly source: HarvestSource;
  readonly statements: readonly Statement[];
  readonly learnt: readonly LearntAccount[];
  /** `null` = waited for. */
  readonly final: { readonly state: 'final' | 'cannot_tell' } | null;
  /** When it is asked again; after a final word only in case it has learnt more. */
  readonly dueAt: Date | null;
  /** The sessions are to be judged, whether a statement is new or not. */
  readonly wakes: boolean;
  /** `records`, `nothing`, or why the source could not tell. */
  readonly answer: string;
}

export interface EvidenceStore {
  /** The meetings that are due to be asked about, oldest first. */
  loadDueHarvests(now: Date, limit: number): Promise<readonly DueHarvest[]>;
  /** The people behind the given ids and addresses; who is not known is not in it. */
  loadDirectory(asked: {
    readonly provider: Provider;
    readonly accounts: readonly string[];
    readonly addresses: readonly string[];
  }): Promise<Directory>;
  /**
   * Keeps the results of one round in one transaction and wakes the judge of every session that learnt something:
   * at once, or three hours after its end if that is still to come.
   * @returns how many statements were new
   */
  recordHarvests(results: readonly HarvestResult[], now: Date): Promise<number>;
}
