import { candidateFor, type StagedCandidate } from '../domain/candidates.ts';
import type { CancelledInstance, ChangedItem, ObservedCopy, Window } from '../domain/observation.ts';
import type { ListedSeries, StagedCopy, StagedRemoval } from '../domain/pass.ts';
import { type Match, matchTags, type TagSearch } from '../domain/tags.ts';
import type { CalendarRef, CalendarSource } from '../ports/calendar-source.ts';
import type {
  CalendarAtRest,
  FinishedPass,
  KnownNames,
  PassCounts,
  StagedRows,
  SyncStore,
} from '../ports/sync-store.ts';

/** How many series are expanded at once; the adapter caps what is really in flight for a calendar. */
const EXPANSIONS_AT_ONCE = 4;
const TITLE_LENGTH = 300;
/** So many rows are held in memory before they are staged: most passes have fewer and never need the stage. */
const ROWS_IN_HAND = 500;

/** The state of one reading: what to keep, and which series must be listed before the pass is whole. */
export class Reading {
  readonly ref: CalendarRef;
  readonly passId: string;
  readonly counts: PassCounts = { untagged: 0, hidden: 0, leftOut: 0, zoneless: 0 };
  readonly listedSeries: ListedSeries[] = [];
  /** Series that this very pass showed, and whose list was then denied: what became of them nobody has seen. */
  readonly deniedSeries: string[] = [];
  readonly #store: SyncStore;
  readonly #source: CalendarSource;
  readonly #searches: readonly TagSearch[];
  /** Masters seen in this pass: whether they concern us. */
  readonly #masters = new Map<string, boolean>();
  readonly #touched = new Set<string>();
  /** Series of bare occurrences: whether they concern us is known when all masters were seen. */
  readonly #bare = new Set<string>();
  /** What the stream showed of touched series, for the case that the series itself is not on this calendar. */
  readonly #exceptions = new Map<string, StagedCopy[]>();
  readonly #removedToLookUp = new Set<string>();
  /** Ids staged by this pass: a removal of one on a later page concerns us, though nothing is stored yet. */
  readonly #staged = new Set<string>();
  /** Rows that are not on the stage yet, in the order of arrival. */
  #inHand: StagedRows[] = [];
  #stageUsed = false;
  readonly #wanted: CalendarAtRest['wanted'];
  readonly #holdsCopies: boolean;
  readonly #sight: Window;
  readonly #candidates: CalendarAtRest['candidates'];
  /** Events listed as candidates before this pass or by it: whatever tells of one later may take it off again. */
  readonly #listed: Set<string>;
  /** Series of which occurrences are listed as candidates: listed anew whenever something of them is told. */
  readonly #candidateSeries: ReadonlySet<string>;

  constructor(
    store: SyncStore,
    source: CalendarSource,
    calendar: CalendarAtRest,
    searches: readonly TagSearch[],
    passId: string,
    sight: Window,
  ) {
    this.#store = store;
    this.#source = source;
    this.#searches = searches;
    this.#wanted = calendar.wanted;
    this.#holdsCopies = calendar.holdsCopies;
    this.passId = passId;
    this.#sight = sight;
    this.#candidates = calendar.candidates;
    this.#listed = new Set(calendar.candidates?.listed.keys());
    this.#candidateSeries = new Set(
      [...(calendar.candidates?.listed.values() ?? [])].filter((series) => series !== null),
    );
    const { calendarId, address, timeZone } = calendar;
    this.ref = { calendarId, address, timeZone };
  }

  /** What the pass found: what is on the stage, and what it still holds. */
  get found(): Pick<FinishedPass, 'staged' | 'rest' | 'listsCandidates'> {
    return { staged: this.#stageUsed, rest: this.#inHand, listsCandidates: this.#candidates !== null };
  }

  async #stage(rows: StagedRows): Promise<void> {
    this.#inHand.push(rows);
    const held = this.#inHand.reduce(
      (sum, { copies, removals, candidates = [] }) =>
        sum + copies.length + removals.length + candidates.length,
      0,
    );
    if (held < ROWS_IN_HAND) return;
    const full = this.#inHand;
    this.#inHand = [];
    this.#stageUsed = true;
    await this.#store.stage(this.ref.calendarId, this.passId, full);
  }

  #tagsOf(entry: Pick<ObservedCopy, 'text' | 'people'>): Match[] {
    return matchTags(entry.text, [...entry.people, { address: this.ref.address }], this.#searches);
  }

  #isTagged(entry: Pick<ObservedCopy, 'text' | 'people'>): boolean {
    return this.#tagsOf(entry).length > 0;
  }

  /** The copy without its text; only those that are kept are made, because most of a calendar is not ours. */
  #keep({ text, ...copy }: ObservedCopy, matched: readonly Match[]): StagedCopy {
    return {
      ...copy,
      // By characters: half a surrogate pair is nothing that can be stored.
      title:
        copy.private || text.title === null ? null : Array.from(text.title).slice(0, TITLE_LENGTH).join(''),
      matched,
    };
  }

  /**
   * An untagged event as a candidate, or as none any more where it was listed; nothing where nobody asks for it. A copy
   * of a known meeting may be let go by this very pass: whether it is still ours is seen when the pass is applied.
   */
  #candidate(copy: ObservedCopy, matched: readonly Match[]): StagedCandidate[] {
    if (this.#candidates === null) return [];
    const { sourceId, seriesId, start, end } = copy;
    if (matched.length > 0) return this.#noCandidate(sourceId);
    const mentorshipIds = candidateFor(copy, this.ref.address, this.#candidates.roster, this.#sight);
    if (mentorshipIds.length === 0) return this.#noCandidate(sourceId);
    this.#listed.add(sourceId);
    return [{ sourceId, seriesId, mentorshipIds, start, end }];
  }

  /** Takes an event or a series off the list of candidates, where it is on it. */
  #noCandidate(sourceId: string): StagedCandidate[] {
    const listed = this.#listed.has(sourceId) || this.#candidateSeries.has(sourceId);
    return listed ? [{ sourceId, seriesId: null, mentorshipIds: [], start: 0, end: 0 }] : [];
  }

  /** Stages what concerns us of one page of changes. */
  async take(items: readonly ChangedItem[]): Promise<void> {
    const asked = this.#store.known(this.ref.calendarId, {
      sourceIds: this.#holdsCopies ? items.flatMap(idsOf) : [],
      lineages: items.flatMap((item) =>
        item.kind === 'series'
          ? [item.series.lineage]
          : item.kind === 'single' || item.kind === 'exception'
            ? (item.copy?.lineage ?? [])
            : [],
      ),
    });
    // While the database looks, the texts are searched.
    const tags = items.map((item) => (item.kind === 'single' ? this.#tagsOf(item.copy) : []));
    const known = await asked;
    const copies: StagedCopy[] = [];
    const removals: StagedRemoval[] = [];
    const candidates: StagedCandidate[] = [];
    for (const [at, item] of items.entries()) {
      switch (item.kind) {
        case 'single': {
          const { sourceId, lineage, hidden } = item.copy;
          const matched = tags[at] ?? [];
          const ours =
            known.sourceIds.has(sourceId) || known.seriesIds.has(sourceId) || known.lineages.has(lineage);
          if (hidden && !ours) this.counts.hidden += 1;
          if (matched.length > 0 || ours) {
            copies.push(this.#keep(item.copy, matched));
            this.#staged.add(sourceId);
          } else {
            this.counts.untagged += 1;
          }
          candidates.push(...this.#candidate(item.copy, matched));
          break;
        }
        case 'series': {
          const { seriesId, lineage, ordinary } = item.series;
          const ours =
            known.seriesIds.has(seriesId) ||
            known.sourceIds.has(seriesId) ||
            known.lineages.has(lineage) ||
            (ordinary && this.#isTagged(item.series));
          this.#masters.set(seriesId, ours);
          if (ours || this.#candidateSeries.has(seriesId)) this.#touched.add(seriesId);
          if (!ours) this.counts.untagged += 1;
          break;
        }
        case 'exception':
          if (
            this.#concerns(item.seriesId, known) ||
            this.#isTagged(item) ||
            (item.copy !== null && known.lineages.has(item.copy.lineage))
          ) {
            this.#touched.add(item.seriesId);
            if (item.copy !== null) this.#remember(item.seriesId, item.copy);
          }
          // A row that was shown in part only may have lost the words that would make it ours.
          else if (item.copy === null) this.#bare.add(item.seriesId);
          break;
        case 'occurrence':
          if (this.#concerns(item.seriesId, known)) this.#touched.add(item.seriesId);
          else this.#bare.add(item.seriesId);
          break;
        case 'removed': {
          candidates.push(...this.#noCandidate(item.sourceId));
          const series = item.seriesId ?? known.seriesOf.get(item.sourceId) ?? null;
          const ours =
            known.sourceIds.has(item.sourceId) ||
            known.seriesIds.has(item.sourceId) ||
            this.#staged.has(item.sourceId);
          if (item.certainty === 'explicit') {
            if (ours) removals.push(removalOf(item));
            // After a split the same slot goes by another id: only the series' own list tells which one is meant.
            if (series !== null && known.seriesIds.has(series)) this.#touched.add(series);
          } else if (ours) {
            this.#removedToLookUp.add(series ?? item.sourceId);
          }
          break;
        }
      }
    }
    await this.#stage({ copies, removals, candidates });
  }

  #concerns(seriesId: string, known: KnownNames): boolean {
    return known.seriesIds.has(seriesId) || this.#candidateSeries.has(seriesId);
  }

  #remember(seriesId: string, copy: ObservedCopy): void {
    const kept = this.#keep(copy, this.#tagsOf(copy));
    const others = this.#exceptions.get(seriesId);
    if (others) others.push(kept);
    else this.#exceptions.set(seriesId, [kept]);
  }

  /**
   * Finds out what became of ids that left the stream: deleted, moved out of sight, or nothing at all. That one is
   * missing is believed when it was asked for twice and the calendar shows it nowhere in between: a stream tells of
   * removals that were none, and one "not found" may be a fault.
   */
  async lookUpRemoved(sight: Window, signal: AbortSignal): Promise<void> {
    const missing = new Set<string>();
    for (const id of this.#removedToLookUp) if (!(await this.#isFound(id, signal))) missing.add(id);
    if (missing.size === 0) return;
    for (const id of await this.#takeShown(missing, sight, signal)) missing.delete(id);
    for (const id of missing) {
      if (await this.#isFound(id, signal)) continue;
      await this.#stage({
        copies: [],
        removals: [{ sourceId: id, updatedAt: null, how: 'deleted' }],
      });
      this.#touched.delete(id);
      this.#masters.set(id, false);
    }
  }

  /** Whether anything stands behind an id; if so, it is kept, or its series listed. */
  async #isFound(id: string, signal: AbortSignal): Promise<boolean> {
    const looked = await this.#source.lookUp(this.ref, id, signal);
    switch (looked.found) {
      case 'gone':
        return false;
      case 'single':
        await this.#stage({ copies: [this.#keep(looked.copy, this.#tagsOf(looked.copy))], removals: [] });
        return true;
      case 'series':
        this.#touched.add(looked.series.seriesId);
        return true;
      case 'instance':
        this.#touched.add(looked.seriesId);
        return true;
    }
  }

  /** Which of these ids of events and series the calendar shows; what it shows of them is kept, or their series listed. */
  async #takeShown(ids: ReadonlySet<string>, sight: Window, signal: AbortSignal): Promise<Set<string>> {
    const shown = new Set<string>();
    for await (const { copies } of this.#source.snapshot(this.ref, sight, signal)) {
      for (const copy of copies) {
        const id = [copy.sourceId, copy.seriesId].find((each) => each !== null && ids.has(each));
        if (id == null) continue;
        shown.add(id);
        if (copy.seriesId !== null) this.#touched.add(copy.seriesId);
        else await this.#stage({ copies: [this.#keep(copy, this.#tagsOf(copy))], removals: [] });
      }
    }
    return shown;
  }

  /** Lists every series that was touched, once, and stages its occurrences. */
  async expandSeries(sight: Window, signal: AbortSignal): Promise<void> {
    for (const seriesId of this.#bare) if (!this.#masters.has(seriesId)) this.#touched.add(seriesId);
    const waiting = [...this.#touched];
    for (let at = 0; at < waiting.length; at += EXPANSIONS_AT_ONCE) {
      await Promise.all(
        waiting.slice(at, at + EXPANSIONS_AT_ONCE).map(async (seriesId) => {
          const listing = await this.#source.instances(this.ref, seriesId, sight, signal);
          if (listing.gone) {
            // "Not found" while its occurrences are shown elsewhere is ambiguous: it takes nothing away. Who was
            // invited to single occurrences has these and no series.
            if (this.#masters.get(seriesId) === true) this.deniedSeries.push(seriesId);
            const copies = this.#exceptions.get(seriesId) ?? [];
            if (copies.length > 0) await this.#stage({ copies, removals: [] });
            return;
          }
          const empty = listing.copies.length === 0 && listing.cancelled.length === 0;
          this.listedSeries.push({ seriesId, window: sight, empty });
          await this.stageListing(listing.copies, listing.cancelled);
        }),
      );
    }
  }

  /** Looks for this calendar's untagged copies of meetings that another member's calendar calls ours. */
  async readWanted(signal: AbortSignal): Promise<CalendarAtRest['wanted']> {
    for (const meeting of this.#wanted) {
      const copies = await this.#source.copiesOf(this.ref, meeting, signal);
      await this.stageListing(copies, []);
    }
    return this.#wanted;
  }

  async stageListing(
    observed: readonly ObservedCopy[],
    cancelled: readonly CancelledInstance[],
  ): Promise<void> {
    const known = await this.#store.known(this.ref.calendarId, {
      sourceIds: this.#holdsCopies ? [...observed, ...cancelled].map((copy) => copy.sourceId) : [],
      lineages: [...new Set(observed.map((copy) => copy.lineage))],
    });
    const wanted = new Set(this.#wanted.map((meeting) => meeting.lineage));
    const copies: StagedCopy[] = [];
    const candidates = cancelled.flatMap((each) => this.#noCandidate(each.sourceId));
    for (const each of observed) {
      const matched = this.#tagsOf(each);
      const ours =
        known.sourceIds.has(each.sourceId) || known.lineages.has(each.lineage) || wanted.has(each.lineage);
      if (matched.length > 0 || ours) {
        copies.push(this.#keep(each, matched));
        if (each.seriesId !== null && each.timeZone === null) this.counts.zoneless += 1;
      } else {
        this.counts.untagged += 1;
      }
      candidates.push(...this.#candidate(each, matched));
    }
    const removals = cancelled.filter((each) => known.sourceIds.has(each.sourceId)).map(removalOf);
    await this.#stage({ copies, removals, candidates });
  }
}

/** A guest who takes an event off their calendar has deleted a copy; whatever else the provider calls cancelled is. */
function removalOf(gone: Pick<CancelledInstance, 'sourceId' | 'updatedAt' | 'byGuest'>): StagedRemoval {
  return { sourceId: gone.sourceId, updatedAt: gone.updatedAt, how: gone.byGuest ? 'deleted' : 'cancelled' };
}

function idsOf(item: ChangedItem): string[] {
  switch (item.kind) {
    case 'single':
      return [item.copy.sourceId];
    case 'series':
      return [item.series.seriesId];
    case 'exception':
    case 'occurrence':
      return [item.sourceId, item.seriesId];
    case 'removed':
      return item.seriesId === null ? [item.sourceId] : [item.sourceId, item.seriesId];
  }
}
