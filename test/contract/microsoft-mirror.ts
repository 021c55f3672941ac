import type { ChangePage, ObservedCopy, Window } from '../../src/domain/observation.ts';
import type { CalendarRef, CalendarSource } from '../../src/ports/calendar-source.ts';

const signal = new AbortController().signal;

/** What a reader knows of one calendar when it does with changes as the adapter's port asks. */
export class Mirror {
  readonly copies = new Map<string, ObservedCopy>();
  readonly source: CalendarSource;
  readonly window: Window;
  readonly calendar: CalendarRef;
  cursor: string | null = null;
  pages: ChangePage[] = [];

  constructor(source: CalendarSource, calendar: CalendarRef, window: Window) {
    this.source = source;
    this.window = window;
    this.calendar = calendar;
  }

  async pull(): Promise<void> {
    const source = this.source;
    const series = new Set<string>();
    const looks = new Set<string>();
    this.pages = [];
    for await (const page of source.changes(this.calendar, this.cursor, this.window, signal)) {
      this.pages.push(page);
      for (const item of page.items) {
        if (item.kind === 'single') {
          this.#drop(item.copy.sourceId);
          this.copies.set(item.copy.sourceId, item.copy);
        } else if (item.kind === 'series') {
          series.add(item.series.seriesId);
          // A single event that was made a series keeps its id as the master's.
          this.copies.delete(item.series.seriesId);
        } else if (item.kind === 'removed') looks.add(item.sourceId);
        else series.add(item.seriesId);
      }
    }
    for (const id of looks) {
      const looked = await source.lookUp(this.calendar, id, signal);
      const known = this.copies.get(id);
      this.copies.delete(id);
      if (looked.found === 'single') this.copies.set(id, looked.copy);
      else if (looked.found === 'instance') series.add(looked.seriesId);
      else if (looked.found === 'series') series.add(looked.series.seriesId);
      else {
        if (known?.seriesId) series.add(known.seriesId);
        this.#drop(id);
      }
    }
    for (const seriesId of series) {
      const listed = await source.instances(this.calendar, seriesId, this.window, signal);
      this.#drop(seriesId);
      for (const copy of listed.copies) this.copies.set(copy.sourceId, copy);
    }
    this.cursor = this.pages.at(-1)?.cursor ?? null;
  }

  /** A series that was made a single event keeps its master's id. */
  #drop(seriesId: string): void {
    for (const [key, copy] of this.copies) if (copy.seriesId === seriesId) this.copies.delete(key);
  }

  /** The same calendar as a plain view shows it. */
  async seen(): Promise<Map<string, ObservedCopy>> {
    const copies = new Map<string, ObservedCopy>();
    for await (const { copies: page } of this.source.snapshot(this.calendar, this.window, signal)) {
      for (const copy of page) copies.set(copy.sourceId, copy);
    }
    return copies;
  }

  /** Within the window only: what was moved out of it is still known by id. */
  inWindow(): ObservedCopy[] {
    return [...this.copies.values()].filter(
      (copy) => copy.start < this.window.until && copy.end > this.window.from,
    );
  }
}

/** What must agree between two ways of reading a calendar, in one order. */
export function facts(copies: Iterable<ObservedCopy>) {
  return [...copies]
    .map(({ sourceId, start, status, originalDate, lineage, text, ownerResponse }) => ({
      sourceId,
      start,
      status,
      originalDate,
      lineage,
      title: text.title,
      ownerResponse,
    }))
    .sort((one, two) => one.sourceId.localeCompare(two.sourceId));
}
