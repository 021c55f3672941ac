import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Failure } from '../../src/domain/failure.ts';
import { lineageOfUid } from '../../src/domain/lineage.ts';
import type {
  CancelledInstance,
  ChangedItem,
  LookedUp,
  ObservedCopy,
  ObservedPerson,
  ObservedSeries,
  Provider,
  TagText,
} from '../../src/domain/observation.ts';
import type { CalendarSource } from '../../src/ports/calendar-source.ts';
import type { SyncStore } from '../../src/ports/sync-store.ts';
import { fixedClock, type SettableClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { writePrograms } from '../../src/store/programs.ts';
import { createRosterStore } from '../../src/store/roster.ts';
import { createSyncStore } from '../../src/store/sync-store.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { type SyncDeps, type SyncReport, syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { POLICY } from './seeded-world.ts';

const COLUMNS = 'program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const START = '2026-11-02T12:00:00Z';
export const NOW = Date.parse(START);
/** Tuesday of next week, 09:00. */
export const TUESDAY = Date.parse('2026-11-10T09:00:00Z');

export const ANNA = 'anna@x.org';
export const BEN = 'ben@x.org';
export const CEM = 'cem@x.org';

const someone = (address: string, organizer = false): ObservedPerson => ({
  address,
  name: null,
  response: organizer ? 'accepted' : 'none',
  organizer,
  optional: false,
});
export const people = (...addresses: string[]) => addresses.map((address, at) => someone(address, at === 0));
export const text = (title: string, given: Partial<TagText> = {}): TagText => ({
  title,
  body: null,
  categories: [],
  properties: [],
  ...given,
});

/** A tagged single event of Anna and Ben, organized by Anna, as it stands on Anna's calendar. */
export function event(sourceId: string, start: number, given: Partial<ObservedCopy> = {}): ObservedCopy {
  const uid = given.uid === undefined ? `${sourceId}@google.com` : given.uid;
  return {
    sourceId,
    seriesId: null,
    uid,
    lineage: lineageOfUid(uid) ?? `no-uid:${sourceId}`,
    originalStart: null,
    originalDate: null,
    start,
    end: start + HOUR,
    timeZone: 'Europe/Berlin',
    allDay: false,
    ordinary: true,
    status: 'confirmed',
    unsent: false,
    organizer: ANNA,
    ownerIsOrganizer: true,
    ownerResponse: null,
    people: people(ANNA, BEN),
    peopleOmitted: false,
    private: false,
    hidden: false,
    conference: null,
    updatedAt: NOW - DAY,
    revision: '1',
    text: text('Talk #mentoring'),
    ...given,
  };
}

/** The same meeting as a guest's calendar has it. */
export const guestCopy = (
  of: ObservedCopy,
  sourceId: string,
  given: Partial<ObservedCopy> = {},
): ObservedCopy => ({
  ...of,
  sourceId,
  ownerIsOrganizer: false,
  ...given,
});

export const weekly = (
  seriesId: string,
  first: number,
  count: number,
  given: Partial<ObservedCopy> = {},
): ObservedCopy[] =>
  Array.from({ length: count }, (_, week) => {
    const start = first + week * 7 * DAY;
    return event(`${seriesId}_${start}`, start, {
      uid: `${seriesId}@google.com`,
      seriesId,
      originalStart: start,
      originalDate: new Date(start).toISOString().slice(0, 10),
      ...given,
    });
  });

/** A calendar as a provider would serve it, and how it misbehaves. */
export class ScriptedCalendar {
  /** What stands on the calendar: what a list, a look and a search show. */
  copies: ObservedCopy[] = [];
  cancelled: CancelledInstance[] = [];
  /** Masters by id. A series that is listed but has no master here is gone. */
  series = new Map<string, ObservedSeries>();
  /** What the next pull of changes tells, page by page; `null` = nothing changed. */
  pages: ChangedItem[][] | null = null;
  /** Thrown by the next pull: before the page of that number. */
  failing: {
    readonly page: number;
    readonly problem: Failure | Error;
    readonly onlyWithCursor?: boolean;
  } | null = null;
  /** Thrown by every list of the whole window. */
  failingList: Failure | null = null;
  /** Held before the page of that number is served. */
  gate: { readonly page: number; readonly until: Promise<unknown>; readonly reached?: () => void } | null =
    null;
  readonly calls: string[] = [];
  #cursor = 0;

  put(...copies: readonly ObservedCopy[]): void {
    const ids = new Set(copies.map((copy) => copy.sourceId));
    this.copies = [...this.copies.filter((copy) => !ids.has(copy.sourceId)), ...copies];
    this.#pending(copies.filter((copy) => copy.seriesId === null).map((copy) => ({ kind: 'single', copy })));
  }

  putSeries(seriesId: string, copies: readonly ObservedCopy[]): void {
    this.copies = [...this.copies.filter((copy) => copy.seriesId !== seriesId), ...copies];
    const [first] = copies;
    if (!first) throw new Error('a series needs an occurrence');
    const series: ObservedSeries = {
      seriesId,
      uid: first.uid,
      lineage: first.lineage,
      ordinary: true,
      allDay: false,
      people: first.people,
      text: first.text,
      updatedAt: first.updatedAt,
    };
    this.series.set(seriesId, series);
    this.#pending([{ kind: 'series', series }]);
  }

  remove(sourceId: string, updatedAt: number | null, certainty: 'explicit' | 'look' = 'explicit'): void {
    const seriesId = this.copies.find((copy) => copy.sourceId === sourceId)?.seriesId ?? null;
    this.copies = this.copies.filter((copy) => copy.sourceId !== sourceId && copy.seriesId !== sourceId);
    this.series.delete(sourceId);
    this.#pending([{ kind: 'removed', sourceId, seriesId, certainty, updatedAt }]);
  }

  #pending(items: ChangedItem[]): void {
    this.pages = [...(this.pages ?? []), items];
  }

  get items(): ChangedItem[] {
    return [
      ...[...this.series.values()].map((series): ChangedItem => ({ kind: 'series', series })),
      ...this.copies
        .filter((copy) => copy.seriesId === null)
        .map((copy): ChangedItem => ({ kind: 'single', copy })),
    ];
  }

  nextCursor(): string {
    this.#cursor += 1;
    return `cursor-${this.#cursor}`;
  }
}

function scriptedSource(
  provider: Provider,
  calendars: ReadonlyMap<string, ScriptedCalendar>,
): CalendarSource {
  const of = (address: string): ScriptedCalendar => {
    const calendar = calendars.get(address);
    if (!calendar) throw new Error(`no calendar of ${address}`);
    return calendar;
  };
  const touches = (copy: ObservedCopy, window: { from: number; until: number }) =>
    copy.end > window.from && copy.start < window.until;
  return {
    provider,
    cursorVersion: 'v1',
    async *changes({ address }, cursor) {
      const calendar = of(address);
      calendar.calls.push(cursor === null ? 'full' : `changes ${cursor}`);
      const told = cursor === null ? [calendar.items] : (calendar.pages ?? []);
      const pages = told.length === 0 ? [[]] : told;
      for (const [page, items] of pages.entries()) {
        if (calendar.gate?.page === page) {
          calendar.gate.reached?.();
          await calendar.gate.until;
        }
        const { failing } = calendar;
        if (failing?.page === page && !(failing.onlyWithCursor && cursor === null)) throw failing.problem;
        const last = page === pages.length - 1;
        yield { items, leftOut: {}, cursor: last ? calendar.nextCursor() : null };
      }
      calendar.pages = null;
    },
    async instances({ address }, seriesId, window) {
      const calendar = of(address);
      calendar.calls.push(`instances ${seriesId}`);
      return {
        copies: calendar.copies.filter((copy) => copy.seriesId === seriesId && touches(copy, window)),
        cancelled: calendar.cancelled.filter((copy) => copy.seriesId === seriesId),
        gone: !calendar.series.has(seriesId),
      };
    },
    async lookUp({ address }, sourceId): Promise<LookedUp> {
      const calendar = of(address);
      calendar.calls.push(`look ${sourceId}`);
      const series = calendar.series.get(sourceId);
      if (series) return { found: 'series', series };
      const copy = calendar.copies.find((one) => one.sourceId === sourceId);
      if (!copy) return { found: 'gone' };
      return copy.seriesId === null
        ? { found: 'single', copy }
        : { found: 'instance', seriesId: copy.seriesId };
    },
    async *snapshot({ address }, window) {
      const calendar = of(address);
      calendar.calls.push('snapshot');
      if (calendar.failingList) throw calendar.failingList;
      const copies = calendar.copies.filter((copy) => touches(copy, window));
      const half = Math.ceil(copies.length / 2);
      yield { copies: copies.slice(0, half), cancelled: [] };
      yield { copies: copies.slice(half), cancelled: calendar.cancelled };
    },
    async copiesOf({ address }, meeting) {
      const calendar = of(address);
      calendar.calls.push(`copies of ${meeting.uid}`);
      return calendar.copies.filter((copy) => copy.lineage === meeting.lineage);
    },
  };
}

export type SyncWorld = Awaited<ReturnType<typeof createSyncWorld>>;

/** A prepared database with Anna mentoring Ben and Cem, whose calendars are scripted, and the sync over it. */
export async function createSyncWorld(
  options: {
    readonly around?: (store: SyncStore) => SyncStore;
    readonly providerOf?: Record<string, Provider>;
  } = {},
) {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.url, max: 8, applicationName: 'test', log: silentLog() });
  const db: Kysely<DB> = createDatabaseClient(pool);
  const clock: SettableClock = fixedClock(START);
  const calendars = new Map<string, ScriptedCalendar>();
  const plain = createSyncStore(db, { pollEveryMs: 15 * 60_000, pollWithPushMs: 15 * 60_000 });
  const deps: SyncDeps = {
    store: options.around?.(plain) ?? plain,
    sources: {
      google: scriptedSource('google', calendars),
      microsoft: scriptedSource('microsoft', calendars),
    },
    clock,
    log: silentLog(),
    newPassId: () => randomUUID(),
  };
  const rows = async <T>(statement: ReturnType<typeof sql<T>>): Promise<T[]> =>
    (await statement.execute(db)).rows;
  const policies = (policy: Partial<typeof POLICY> = {}) =>
    writePrograms(db, [{ ...POLICY, name: 'p', ...policy }], 'google', clock.now().toJSDate());

  const world = {
    db,
    url: database.url,
    clock,
    deps,
    rows,
    policies,
    calendar(address: string): ScriptedCalendar {
      const known = calendars.get(address);
      if (known) return known;
      const made = new ScriptedCalendar();
      calendars.set(address, made);
      return made;
    },
    async idOf(address: string): Promise<number> {
      const [row] = await rows(sql<{ id: number }>`
        select calendar_id as id from cadenced.calendar where address = ${address} and retired_at is null`);
      if (!row) throw new Error(`no calendar of ${address}`);
      return row.id;
    },
    /** Imports a roster: mentorship -> members, the mentor first. */
    async roster(
      mentorships: Readonly<Record<string, readonly string[]>>,
      aliases: Readonly<Record<string, string>> = {},
    ): Promise<void> {
      const lines = Object.entries(mentorships).flatMap(([name, members]) =>
        members.map((address, at) =>
          [
            ...['p', name, at === 0 ? 'mentor' : 'mentee', address, address, ''],
            ...[options.providerOf?.[address] ?? 'google', '2026-01-01', '', aliases[address] ?? '', ''],
          ].join(','),
        ),
      );
      const imported = await importRoster(createRosterStore(db), [COLUMNS, ...lines].join('\n'), false);
      if (imported.outcome === 'refused') throw new Error(JSON.stringify(imported));
    },
    async sync(address: string, wish: { full?: boolean; reconcile?: boolean } = {}): Promise<SyncReport> {
      const report = await syncCalendar(deps, await world.idOf(address), wish, new AbortController().signal);
      if (!report) throw new Error(`${address} is retired`);
      return report;
    },
    async advance(ms: number): Promise<void> {
      clock.set(clock.now().plus({ milliseconds: ms }));
      await world.alignClock();
    },
    async alignClock(): Promise<void> {
      await sql`update cadenced.clock set ahead_by = ${clock.now().toJSDate()}::timestamptz - now()`.execute(
        db,
      );
    },
    sessions: () =>
      rows(sql<{
        id: number;
        mentorship: string;
        start: Date;
        status: string;
        reason: string | null;
        reschedules: number;
      }>`
        select session_id as id, mentorship.key as mentorship, starts_at as start, status, cancel_reason as reason,
               reschedules
          from cadenced.session join cadenced.mentorship using (mentorship_id)
         order by starts_at, mentorship.key`),
    async booked(): Promise<number[]> {
      return (await world.sessions())
        .filter((session) => session.status === 'scheduled')
        .map((session) => session.start.getTime());
    },
    async events(): Promise<string[]> {
      return (
        await rows(sql<{ type: string }>`select type from cadenced.outbound_event order by position`)
      ).map((row) => row.type);
    },
    async state(address: string) {
      const [row] = await rows(sql<{
        state: string;
        state_reason: string | null;
        cursor: string | null;
        parked: { lineages: string[] } | null;
        strikes: number;
        drift: number | null;
        generation: number;
        full: boolean;
      }>`select state, state_reason, cursor, parked, strikes, drift, sync_generation as generation,
                full_pass_wanted as full
           from cadenced.calendar where address = ${address} and retired_at is null`);
      if (!row) throw new Error(`no calendar of ${address}`);
      return row;
    },
    /** Every row of every table save bookkeeping, as text. */
    async dump(): Promise<Record<string, string[]>> {
      const tables = await rows(sql<{ name: string }>`
        select table_name as name from information_schema.tables
         where table_schema = 'cadenced' and table_type = 'BASE TABLE' and table_name not like 'migration%'
           and table_name <> 'clock' order by table_name`);
      const dumped: Record<string, string[]> = {};
      for (const { name } of tables) {
        const found = await rows(sql<{ row: Record<string, unknown> }>`
          select to_jsonb(one) as row from ${sql.table(`cadenced.${name}`)} one`);
        dumped[name] = found
          .map(({ row }) => {
            if (name !== 'calendar') return JSON.stringify(row);
            const { address, state, parked, cursor_version, retired_at, strikes, state_since } = row;
            return JSON.stringify({
              address,
              state,
              parked,
              cursor_version,
              retired_at,
              strikes,
              state_since,
            });
          })
          .toSorted();
      }
      return dumped;
    },
    async close(): Promise<void> {
      await db.destroy();
      await database.drop();
    },
  };
  await world.alignClock();
  await policies();
  await world.roster({ 'anna-ben': [ANNA, BEN], 'anna-cem': [ANNA, CEM] });
  for (const address of [ANNA, BEN, CEM]) world.calendar(address);
  return world;
}
