import type { Roster } from '../domain/roster.ts';
import type { RosterDiff } from '../domain/roster-diff.ts';

export interface RosterStore {
  /** Names of the programs that the configuration knows. */
  programs(): Promise<readonly string[]>;
  /**
   * Gives the stored roster to `decide` and applies the diff that it returns, as a whole, while nobody else imports.
   * `null` applies nothing.
   */
  change<T extends { readonly diff: RosterDiff | null }>(decide: (current: Roster) => T): Promise<T>;
}
