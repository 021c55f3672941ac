/** Enough for every date that a long run asks for; beyond it, beginning again costs little. */
const MOST = 50_000;

/**
 * A pure function of two values that remembers what it gave. Questions of zones are asked for every row of every
 * answer, always about the same few hundred instants, and each costs more than all the rest of the row.
 */
export function remembered<A extends string | number, R>(
  compute: (about: A, detail: string) => R,
): (about: A, detail: string) => R {
  const byDetail = new Map<string, Map<A, R>>();
  return (about, detail) => {
    let known = byDetail.get(detail);
    if (known === undefined || known.size > MOST) {
      known = new Map();
      byDetail.set(detail, known);
    }
    const found = known.get(about);
    if (found !== undefined) return found;
    const result = compute(about, detail);
    known.set(about, result);
    return result;
  };
}
