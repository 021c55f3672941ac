import { occurrenceAt, type Span } from '../world/occurrences.ts';
import { BASE64URL, type Random } from '../world/random.ts';
import type { Copy } from '../world/types.ts';
import type { Calendar, World } from '../world/world.ts';
import { deltaRow, type Row, removedRow } from './event-rows.ts';
import { refusals } from './graph-errors.ts';
import { eventId, eventsOfCopy, eventsWithin, idOf } from './mailbox.ts';
import type { Preferences } from './preferences.ts';

export interface DeltaHabits {
  /** Full rounds begin with a page that holds nothing but the next link. */
  emptyFirstPage: boolean;
  /** Rounds of several pages print one row twice. */
  repeatRows: boolean;
  /** How long a change stays invisible to delta although a notification may already have told of it. */
  lagMs: number;
  /** The share of rounds that tell one event as removed which stands where it stood: for whatever reason of Graph's own. */
  strayRemovals: number;
  /** The server's own page size; a client's wish can only make it smaller. */
  pageSize: number;
  /** Over more days than these a round is too much and always fails with 503: seen with endless series; `null` = never. */
  widestRoundDays: number | null;
}

/** One page, with the token that goes on: `skip` inside a round, `delta` at its end. */
export interface DeltaPage {
  readonly rows: readonly Row[];
  readonly next: { readonly kind: 'skip' | 'delta'; readonly token: string };
}

interface Cursor {
  readonly kind: 'skip' | 'delta';
  readonly person: string;
  readonly span: Span;
  readonly generation: number;
  /** For `delta`: everything up to here was told. For `skip`: what the round will have told at its end. */
  readonly seq: number;
  readonly rest: readonly PageRow[];
}

/** Rows are printed when their page is asked for, because the id format belongs to the request, not to the round. */
type PageRow = (preferences: Preferences) => Row;

/** The change tracking of `calendarView`: rounds, pages, and the tokens that name them. */
export interface DeltaRounds {
  /** Opens a full round over a window, which its tokens carry for ever. */
  readonly open: (calendar: Calendar, span: Span, asked: DeltaRequest) => DeltaPage;
  /** Goes on from a token. Refuses with 410 when it is unknown, of another mailbox or expired. */
  readonly follow: (
    calendar: Calendar,
    kind: 'skip' | 'delta',
    token: string,
    asked: DeltaRequest,
  ) => DeltaPage;
}

export interface DeltaRequest {
  readonly preferences: Preferences;
  /** Where a client that lost its state is sent. */
  readonly restartAt: string;
  /** `expired_cursor` refuses the token, `empty_page` puts an empty page before what would have come. */
  readonly fault: string | null;
}

export function createDeltaRounds(world: World, random: Random, habits: DeltaHabits): DeltaRounds {
  const cursors = new Map<string, Cursor>();
  const stray = random.fork('stray removals');

  function remember(cursor: Cursor): DeltaPage['next'] {
    const token = random.text(BASE64URL, 64);
    cursors.set(token, cursor);
    return { kind: cursor.kind, token };
  }

  function page(cursor: Omit<Cursor, 'kind'>, { preferences, fault }: DeltaRequest): DeltaPage {
    if (fault === 'empty_page') return { rows: [], next: remember({ ...cursor, kind: 'skip' }) };
    const size = Math.min(preferences.maxPageSize ?? habits.pageSize, habits.pageSize);
    const rows = cursor.rest.slice(0, size).map((row) => row(preferences));
    const rest = cursor.rest.slice(size);
    const next = remember({ ...cursor, kind: rest.length > 0 ? 'skip' : 'delta', rest });
    return { rows, next };
  }

  function repeated(rows: readonly PageRow[], preferences: Preferences): readonly PageRow[] {
    const size = Math.min(preferences.maxPageSize ?? habits.pageSize, habits.pageSize);
    return habits.repeatRows && rows.length > size ? [...rows, ...rows.slice(0, 1)] : rows;
  }

  function refuseWide(span: Span): void {
    const { widestRoundDays } = habits;
    if (widestRoundDays !== null && span.until - span.from > widestRoundDays * 86_400_000) {
      throw refusals.overwhelmed();
    }
  }

  function strayRemoval(calendar: Calendar, span: Span): readonly PageRow[] {
    if (habits.strayRemovals === 0 || stray.next() >= habits.strayRemovals) return [];
    const events = eventsWithin(world, calendar, span);
    if (events.length === 0) return [];
    const event = stray.pick(events);
    return [(wishes) => removedRow(eventId(world, event, wishes.immutableIds))];
  }

  return {
    open: (calendar, span, asked) => {
      refuseWide(span);
      const seq = visibleSeq(world, calendar, habits.lagMs);
      const rows = eventsWithin(world, calendar, span).map(
        (event): PageRow =>
          (wishes) =>
            deltaRow(world, event, wishes),
      );
      const cursor = {
        person: calendar.owner.id,
        span,
        generation: calendar.tokenGeneration,
        seq,
        rest: repeated(rows, asked.preferences),
      };
      return page(cursor, habits.emptyFirstPage ? { ...asked, fault: 'empty_page' } : asked);
    },
    follow: (calendar, kind, token, asked) => {
      const cursor = cursors.get(token);
      if (
        cursor === undefined ||
        asked.fault === 'expired_cursor' ||
        cursor.kind !== kind ||
        cursor.person !== calendar.owner.id ||
        cursor.generation !== calendar.tokenGeneration
      ) {
        throw refusals.syncStateLost(cursor?.generation ?? 0, asked.restartAt);
      }
      if (kind === 'skip') return page(cursor, asked);
      refuseWide(cursor.span);
      const seq = visibleSeq(world, calendar, habits.lagMs);
      const rows = [
        ...strayRemoval(calendar, cursor.span),
        ...changedRows(world, calendar, cursor.span, cursor.seq, seq),
      ];
      return page({ ...cursor, seq, rest: repeated(rows, asked.preferences) }, asked);
    },
  };
}

function visibleSeq(world: World, calendar: Calendar, lagMs: number): number {
  if (lagMs <= 0) return calendar.seq;
  const waiting = world
    .changes(calendar.owner.id, 0)
    .filter((change) => change.updatedAt > world.now() - lagMs)
    .map((change) => change.seq);
  return Math.min(calendar.seq, ...waiting.map((seq) => seq - 1));
}

/**
 * What changed between two sequences, as delta tells it: a single event in full; a series re-sent whole, so that an
 * occurrence that was taken out is merely missing; and `@removed` for everything that is not in the window now,
 * whether it was deleted, moved away or never was there.
 */
function changedRows(world: World, calendar: Calendar, span: Span, after: number, upTo: number): PageRow[] {
  const changes = world.changes(calendar.owner.id, after).filter((change) => change.seq <= upTo);
  const rows: PageRow[] = [];
  const told = new Set<string>();
  for (const change of changes) {
    const copy = calendar.copies.get(change.meeting);
    if (copy === undefined) continue;
    if (!told.has(change.meeting)) {
      told.add(change.meeting);
      const slots = changes.filter((other) => other.meeting === change.meeting).map((other) => other.slot);
      rows.push(...rowsOfCopy(world, calendar, copy, span, slots));
    }
  }
  return rows;
}

function rowsOfCopy(
  world: World,
  calendar: Calendar,
  copy: Copy,
  span: Span,
  changedSlots: readonly (number | null)[],
): PageRow[] {
  const meeting = world.meeting(copy.meeting);
  const here = eventsOfCopy(world, calendar, copy, span);
  const inWindow = here.filter((event) => event.type !== 'seriesMaster');
  const printed = inWindow.length === 0 ? [] : here;
  const printedIds = new Set(printed.map((event) => eventId(world, event, true)));
  const gone = new Set<number | null>();
  // A single or a whole series that is deleted, or out of sight.
  if (inWindow.length === 0) gone.add(null);
  if (copy.occurrencesOnly) {
    // Invited to single occurrences: each is an item of its own, and its end is told.
    for (const row of calendar.rows.values()) if (row.meeting === meeting.id) gone.add(row.slot);
  } else if (meeting.recurrence !== null) {
    for (const slot of changedSlots) if (slot !== null && isOutside(world, copy, slot, span)) gone.add(slot);
  }
  const removed = [...gone].filter((slot) => !printedIds.has(idOf(world, copy, meeting, slot, true)));
  return [
    ...printed.map(
      (event): PageRow =>
        (wishes) =>
          deltaRow(world, event, wishes),
    ),
    ...removed.map(
      (slot): PageRow =>
        (wishes) =>
          removedRow(idOf(world, copy, meeting, slot, wishes.immutableIds)),
    ),
  ];
}

/** Whether an occurrence was moved out of the window: still alive, and told as removed. */
function isOutside(world: World, copy: Copy, slot: number, span: Span): boolean {
  const meeting = world.meeting(copy.meeting);
  const occurrence = occurrenceAt(meeting, slot, world.now());
  if (occurrence.cancelledAt !== null) return false;
  return occurrence.start >= span.until || occurrence.end <= span.from;
}
