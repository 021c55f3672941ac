import { parseRoster } from '../domain/parse-roster.ts';
import { renderRosterDiff } from '../domain/render-roster-diff.ts';
import type { RosterProblem } from '../domain/roster.ts';
import { diffRoster, isEmptyDiff, type RosterDiff } from '../domain/roster-diff.ts';
import type { RosterStore } from '../ports/roster-store.ts';

export type RosterImport =
  | {
      readonly outcome: 'refused';
      readonly problems: readonly RosterProblem[];
      readonly conflicts: readonly string[];
    }
  | {
      readonly outcome: 'shown' | 'applied' | 'unchanged';
      readonly diff: RosterDiff;
      readonly lines: readonly string[];
    };

/**
 * Imports a roster file: all of it or nothing. Importing the same file twice changes nothing the second time.
 * @param dryRun shows what would change and applies nothing
 */
export async function importRoster(store: RosterStore, text: string, dryRun: boolean): Promise<RosterImport> {
  const parsed = parseRoster(text, await store.programs());
  if (!parsed.ok) return { outcome: 'refused', problems: parsed.problems, conflicts: [] };
  const { result } = await store.change((current): { diff: RosterDiff | null; result: RosterImport } => {
    const diff = diffRoster(current, parsed.roster);
    if (diff.conflicts.length > 0) {
      return { diff: null, result: { outcome: 'refused', problems: [], conflicts: diff.conflicts } };
    }
    const lines = renderRosterDiff(diff);
    if (isEmptyDiff(diff)) return { diff: null, result: { outcome: 'unchanged', diff, lines } };
    if (dryRun) return { diff: null, result: { outcome: 'shown', diff, lines } };
    return { diff, result: { outcome: 'applied', diff, lines } };
  });
  return result;
}
