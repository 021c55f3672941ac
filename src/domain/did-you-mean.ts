/**
 * The known word nearest to a mistyped one, or null when none is near enough to be meant.
 * Letter case is ignored; about one slip in three letters is forgiven.
 */
export function didYouMean(word: string, known: Iterable<string>): string | null {
  const wanted = word.toLowerCase();
  let best: { name: string; slips: number } | null = null;
  for (const name of known) {
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 3));
    if (Math.abs(wanted.length - name.length) > allowed) continue;
    const slips = slipsBetween(wanted, name.toLowerCase());
    if (slips <= allowed && (best === null || slips < best.slips)) best = { name, slips };
  }
  return best?.name ?? null;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function slipsBetween(from: string, to: string): number {
  let older: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) cost = Math.min(cost, (older[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    older = last;
    last = row;
  }
  return last[to.length] ?? 0;
}
