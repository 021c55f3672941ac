import type { Meeting, World } from '../../src/sandbox/world/index.ts';

/**
 * Names every true occurrence for as long as it is the same one, whatever happens to its times and ids. The world's
 * own key is the meeting's story and the occurrence's place in it; where a reader cannot tell that story, because
 * the providers do not, a new name begins:
 *
 * - Outlook's "this and following" makes an unrelated meeting: its occurrences are new ones.
 * - A series made single keeps the one occurrence it became; made a series again, it keeps its first. What else a
 *   later series lays out are other occurrences, though they may fall on the same days.
 * - An occurrence that Google makes an event of its own stays the one it was.
 * - An edit of all that lays out once more a place that had already taken place makes another occurrence of it.
 */
export class Names {
  readonly #of = new Map<string, Naming>();
  #roots = 0;

  /** Takes notice of what an edit did; call it after every edit. */
  follow(world: World): void {
    for (const meeting of world.meetings.values()) {
      const isSeries = meeting.recurrence !== null;
      const known = this.#of.get(meeting.id);
      if (known === undefined) {
        const first = meeting.ordinalOffset;
        if (!isSeries && meeting.story !== meeting.id) {
          this.#of.set(meeting.id, this.#detached(world, meeting));
          continue;
        }
        const parent =
          meeting.story === meeting.id ? undefined : this.#splitAt(world, meeting.lineage, first);
        // Beyond its end an earlier part may have laid out places of its own, which then go on here.
        const isBeyond = parent !== undefined && parent.endsBefore <= first;
        this.#of.set(meeting.id, {
          lineage: meeting.lineage,
          root: (isBeyond ? parent.ownRoot : parent?.root) ?? this.#fresh(),
          kept: new Map(isBeyond ? [] : parent?.kept),
          endsBefore: isBeyond ? Number.POSITIVE_INFINITY : (parent?.endsBefore ?? Number.POSITIVE_INFINITY),
          isSeries,
          ownRoot: this.#fresh(),
        });
        if (parent !== undefined && !isBeyond) parent.endsBefore = first;
        continue;
      }
      if (known.isSeries === isSeries) continue;
      const anchor = meeting.ordinalOffset;
      known.kept = new Map([[anchor, this.#base(known, anchor)]]);
      known.root = this.#fresh();
      known.endsBefore = Number.POSITIVE_INFINITY;
      known.isSeries = isSeries;
    }
  }

  nameOf(world: World, meeting: string, ordinal: number): string {
    const naming = this.#of.get(meeting);
    if (naming === undefined) throw new Error(`${meeting} was never followed`);
    const again = world.meeting(meeting).history.filter((past) => past.ordinal === ordinal).length;
    return `${this.#base(naming, ordinal)}${again > 0 ? `~${again}` : ''}`;
  }

  /** An occurrence that became an event of its own goes by its name, and goes on in no later part. */
  #detached(world: World, { lineage, ordinalOffset }: Meeting): Naming {
    const from = this.#splitAt(world, lineage, ordinalOffset + 1);
    const name = from === undefined ? this.#fresh() : this.#base(from, ordinalOffset);
    // What the series lays out in its place later (a split at another time of day knows of no exception) is another.
    from?.kept.set(ordinalOffset, `${this.#fresh()}#${ordinalOffset}`);
    return {
      lineage: '',
      root: this.#fresh(),
      kept: new Map([[ordinalOffset, name]]),
      endsBefore: Number.POSITIVE_INFINITY,
      isSeries: false,
      ownRoot: this.#fresh(),
    };
  }

  /** The part of a story that was split at a place: the last of those that begin before it. */
  #splitAt(world: World, lineage: string, place: number): Naming | undefined {
    const parts = [...this.#of]
      .map(([id, naming]) => ({ naming, first: world.meeting(id).ordinalOffset }))
      .filter(({ naming, first }) => naming.lineage === lineage && first < place);
    return parts.toSorted((one, other) => other.first - one.first)[0]?.naming;
  }

  #base(naming: Naming, ordinal: number): string {
    if (ordinal >= naming.endsBefore) return `${naming.ownRoot}#${ordinal}`;
    return naming.kept.get(ordinal) ?? `${naming.root}#${ordinal}`;
  }

  #fresh(): string {
    this.#roots += 1;
    return `n${this.#roots}`;
  }
}

interface Naming {
  readonly lineage: string;
  root: string;
  /** Names that outlived a conversion, by place. */
  kept: Map<number, string>;
  /** From this place on a later part of the story holds the names. */
  endsBefore: number;
  isSeries: boolean;
  /** For places that an edit of an earlier part lays out beyond its end. */
  readonly ownRoot: string;
}
