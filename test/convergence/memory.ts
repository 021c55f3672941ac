import { type Expected, HORIZON, type Stored } from './compare.ts';

/**
 * What a run remembers between two comparisons: which row stands for which true occurrence, what each of them was
 * meant to be in the meantime, and what must stay because it is over.
 *
 * An occurrence whose edits were not read before it was over is decided by the date of its last change, where that
 * lies before all times it was ever meant to have since: it was moved, and is the same session. Where it was touched
 * again later, it depends on who read what in between: such occurrences are let go of here by name, one by one, and
 * the states they passed through are the only ones that may be found.
 */
export class Memory {
  /** Session of a true occurrence, by name. */
  readonly #session = new Map<string, number>();
  /** The times an occurrence was meant to have since the last comparison; `null` = none. */
  readonly #versions = new Map<string, Set<string | null>>();
  /** What was true at the end stays: session -> mentorship and times. */
  readonly #over = new Map<number, string>();
  /** Their names, whatever edits of all laid out in their places afterwards. */
  readonly #overNames = new Set<string>();
  /** States that may have been the last ones read of occurrences let go of. */
  readonly #undecided = new Set<string>();
  /** Times at which calendars showed a past that never was, to whoever read them then. */
  readonly #shown = new Set<string>();
  /** Occurrences that had another time when an earlier one of theirs was over: their session, and those times. */
  readonly #moved = new Map<string, { readonly session: number; readonly versions: Set<string> }>();
  overCount = 0;
  followedCount = 0;
  undecidedCount = 0;

  /** After an edit: what is meant now. */
  note(expected: readonly Expected[]): void {
    const now = new Map(expected.map((one) => [one.name, times(one)]));
    for (const [name, versions] of this.#versions) if (!now.has(name)) versions.add(null);
    for (const [name, version] of now) {
      const versions = this.#versions.get(name) ?? new Set([null]);
      versions.add(version);
      this.#versions.set(name, versions);
    }
  }

  /**
   * After a meeting went to another organizer: until everything is read it may count as called off. The mark on the old
   * calendar looks like that, and whose it is now only another calendar tells.
   */
  noteHandedOver(lineage: string, expected: readonly Expected[]): void {
    for (const one of expected) if (one.lineage === lineage) this.#versions.get(one.name)?.add(null);
  }

  /** After an edit: what calendars show of a past that nobody had read before. */
  noteShown(shown: readonly Pick<Expected, 'mentorship' | 'start' | 'end'>[]): void {
    for (const one of shown) this.#shown.add(times(one));
  }

  /** Before time passes: settles everything that will be over. */
  passTo(until: number): void {
    for (const [name, versions] of this.#versions) {
      const ended = [...versions].filter((version) => version !== null && endOf(version) <= until);
      if (ended.length === 0) continue;
      const [only] = ended;
      const session = this.#session.get(name);
      if (versions.size === 1 && only != null && session !== undefined) {
        this.#over.set(session, only);
        this.#overNames.add(placeOf(name));
        this.overCount += 1;
      } else {
        for (const version of ended) if (version != null) this.#undecided.add(version);
        this.undecidedCount += 1;
        if (session !== undefined && !versions.has(null) && versions.size > 1)
          this.#moved.set(name, { session, versions: new Set(versions as Set<string>) });
      }
      this.#session.delete(name);
      const left = [...versions].filter((version) => version === null || endOf(version) > until);
      if (left.every((version) => version === null)) this.#versions.delete(name);
      // What else it was meant to be may still be what was read.
      else this.#versions.set(name, new Set([null, ...left]));
    }
  }

  /** Whether an occurrence, by name, was over with everything about it read. */
  isOver(name: string): boolean {
    return this.#overNames.has(placeOf(name));
  }

  /**
   * Compares identities and the past, after the present was found to be as expected.
   * @param pairs each expected session with the row that stands for it
   */
  compare(
    pairs: readonly { readonly expected: Expected; readonly row: Stored }[],
    beyond: readonly Expected[],
    rows: readonly Stored[],
    over: readonly Pick<Expected, 'mentorship' | 'start' | 'end'>[],
    now: number,
  ): string[] {
    const wrong: string[] = [];
    const byId = new Map(rows.map((row) => [row.session_id, row]));
    const inUse = new Set(pairs.map(({ row }) => row.session_id));
    for (const { expected, row } of pairs) {
      const known = this.#session.get(expected.name);
      if (known !== undefined && known !== row.session_id) {
        wrong.push(
          `identity: ${expected.name} ${times(expected)} was session ${known}, is ${row.session_id}`,
        );
      }
    }
    wrong.push(...this.#notFollowed(beyond, byId));
    const meant = new Set([...pairs.map(({ expected }) => expected), ...beyond].map(({ name }) => name));
    for (const [name, session] of this.#session) {
      if (meant.has(name) || inUse.has(session)) continue;
      const row = byId.get(session);
      if (row?.status !== 'cancelled') wrong.push(`not cancelled: ${name} (session ${session})`);
    }
    for (const [session, version] of this.#over) {
      const row = byId.get(session);
      if (row === undefined || row.status !== 'scheduled' || times(row) !== version) {
        wrong.push(
          `the past was rewritten: session ${session} was ${version}, is ${row && `${row.status} ${times(row)}`}`,
        );
      }
    }
    const marked = new Set(over.map(times));
    for (const row of rows) {
      if (row.status !== 'scheduled' || row.end > now || this.#over.has(row.session_id)) continue;
      if (![this.#undecided, this.#shown, marked].some((known) => known.has(times(row))))
        wrong.push(`never was: session ${row.session_id} ${times(row)} ${row.lineage.slice(-30)}`);
    }
    return wrong;
  }

  /** What was moved before it began is the same session at its new time, whenever that was learnt. */
  #notFollowed(meant: readonly Expected[], byId: ReadonlyMap<number, Stored>): string[] {
    const now = new Map(meant.map((one) => [one.name, one]));
    return [...this.#moved].flatMap(([name, { session, versions }]) => {
      const is = now.get(name);
      const inTime = is !== undefined && [...versions].every((version) => is.changedAt < startOf(version));
      if (!inTime || !versions.has(times(is))) return [];
      this.followedCount += 1;
      const row = byId.get(session);
      if (row?.status === 'scheduled' && times(row) === times(is)) return [];
      return [
        `not followed: session ${session} was put off to ${times(is)}, is ${row && `${row.status} ${times(row)}`}`,
      ];
    });
  }

  /** After a comparison that found nothing wrong: from here on this is what is known. */
  begin(pairs: readonly { readonly expected: Expected; readonly row: Stored }[]): void {
    this.#session.clear();
    this.#versions.clear();
    this.#moved.clear();
    for (const { expected, row } of pairs) {
      this.#session.set(expected.name, row.session_id);
      this.#versions.set(expected.name, new Set([times(expected)]));
    }
  }
}

const times = (one: Pick<Stored, 'mentorship' | 'start' | 'end'>): string =>
  `${one.mentorship} ${new Date(one.start).toISOString()}/${new Date(one.end).toISOString()}`;
/** A name without the count of what was laid out in one place again. */
const placeOf = (name: string): string => name.replace(/~\d+/, '');
const startOf = (version: string): number =>
  Date.parse(version.slice(version.lastIndexOf('/') - 24, version.lastIndexOf('/')));
const endOf = (version: string): number => Date.parse(version.slice(version.lastIndexOf('/') + 1));

/**
 * Finds the row of every expected session. Two occurrences of one meeting may stand at the same time (one was moved
 * onto the other): then the original start tells them apart, as far as it goes.
 */
export function paired(
  expected: readonly Expected[],
  rows: readonly Stored[],
): { expected: Expected; row: Stored }[] {
  const free = new Set(rows);
  const key = (one: Expected | Stored) => `${one.mentorship} ${one.lineage} ${one.start} ${one.end}`;
  const byKey = Map.groupBy(rows, key);
  return expected.flatMap((one) => {
    const candidates = (byKey.get(key(one)) ?? []).filter((row) => free.has(row));
    const row =
      candidates.find((candidate) => candidate.originalStart === one.originalStart) ?? candidates[0];
    if (row === undefined) return [];
    free.delete(row);
    return [{ expected: one, row }];
  });
}

export const inHorizon = (one: { readonly start: number }): boolean => one.start < HORIZON;
