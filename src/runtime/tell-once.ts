/**
 * Remembers what was told, so that a fault of everybody is told once and not by everybody.
 * @param againAfterMs when the same thing is told again, in the machine's time
 * @returns a function that says whether something is to be told now
 */
export function createTellOnce(againAfterMs: number): (what: string) => boolean {
  const toldAt = new Map<string, number>();
  return (what) => {
    const now = performance.now();
    const told = toldAt.get(what);
    if (told !== undefined && now - told < againAfterMs) return false;
    toldAt.set(what, now);
    return true;
  };
}
