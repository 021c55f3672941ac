import type { Span } from '../world/occurrences.ts';
import type { Calendar, World } from '../world/world.ts';
import type { DeltaPage, DeltaRounds } from './delta-rounds.ts';
import { cancelledOccurrences, fullRow, type Row } from './event-rows.ts';
import { refusals } from './graph-errors.ts';
import { type GraphRequest, type GraphServer, readableMailbox } from './graph-server.ts';
import { eventId, eventsOfCopy, eventsWithin, findEvent, findInTrash, type MailboxEvent } from './mailbox.ts';
import { contextOf, equalsLiteral, pageOf, select, selects, windowOf } from './odata.ts';

export interface ViewHabits {
  /** Over more days than these a plain `calendarView` is too much and always fails with 504; `null` = never. */
  widestViewDays: number | null;
  /** Whose mailboxes print `iCalUId` as null: field reports know such events. Ids of people. */
  withoutUids: Set<string>;
  /** A deleted single event is still given by its id, from the trash: Graph does not say whether it is. */
  trashAnswers: boolean;
}

/** Adds everything under a mailbox that concerns its calendar. */
export function addCalendarRoutes(
  server: GraphServer,
  world: World,
  rounds: DeltaRounds,
  habits: ViewHabits,
): void {
  const calendarOf = (request: GraphRequest): Calendar =>
    world.calendar(readableMailbox(world, request.user).id);
  const named = (row: Row, request: GraphRequest): Row =>
    'iCalUId' in row && habits.withoutUids.has(readableMailbox(world, request.user).id)
      ? { ...row, iCalUId: null }
      : row;
  const printed = (event: MailboxEvent, request: GraphRequest): Row =>
    named(rowOf(world, event, request), request);

  server.get('/users/:user/calendarView/delta', true, (request) => {
    const calendar = calendarOf(request);
    const forbidden = ['$orderby', '$filter', '$select', '$expand', '$search', '$top'];
    if (forbidden.some((name) => request.query.has(name))) throw refusals.notForDelta();
    const skip = request.query.get('$skiptoken');
    const delta = request.query.get('$deltatoken');
    const asked = {
      preferences: request.preferences,
      restartAt: `${request.origin}${request.path}?$deltatoken=`,
      fault: request.fault,
    };
    const page =
      skip !== undefined
        ? rounds.follow(calendar, 'skip', skip, asked)
        : delta !== undefined && delta !== ''
          ? rounds.follow(calendar, 'delta', delta, asked)
          : rounds.open(calendar, windowOf(request.query), asked);
    return deltaBody({ ...page, rows: page.rows.map((row) => named(row, request)) }, request);
  });

  server.get('/users/:user/calendarView', true, (request) => {
    refuseFilter(request);
    const span = windowOf(request.query);
    const { widestViewDays } = habits;
    if (widestViewDays !== null && span.until - span.from > widestViewDays * 86_400_000) {
      throw refusals.tookTooLong();
    }
    const events = eventsWithin(world, calendarOf(request), span);
    const rows = events
      .filter((event) => event.type !== 'seriesMaster')
      .sort((one, other) => one.occurrence.start - other.occurrence.start)
      .map((event) => printed(event, request));
    return pageOf(rows, request);
  });

  server.get('/users/:user/events', true, (request) => {
    const calendar = calendarOf(request);
    const filter = request.query.get('$filter');
    const uid = filter === undefined ? null : equalsLiteral(filter, 'iCalUId');
    if (filter !== undefined && uid === null) refuseFilter(request);
    const events = [...calendar.copies.values()].flatMap((copy) =>
      eventsOfCopy(world, calendar, copy, null).filter(
        (event) => event.type === 'seriesMaster' || event.type === 'singleInstance',
      ),
    );
    const rows = events
      .filter((event) => uid === null || fullRow(world, event, request.preferences).iCalUId === uid)
      .map((event) => printed(event, request));
    return pageOf(rows, request);
  });

  server.get('/users/:user/events/:id', true, (request) => {
    const row = printed(eventBehind(world, calendarOf(request), request, habits.trashAnswers), request);
    return { '@odata.context': `${contextOf(request)}/$entity`, ...row };
  });

  server.get('/users/:user/events/:id/instances', true, (request) => {
    refuseFilter(request);
    const calendar = calendarOf(request);
    const master = eventBehind(world, calendar, request);
    if (master.type !== 'seriesMaster') {
      throw refusals.badRequest('The event is not a series master, so it has no instances.');
    }
    const rows = instancesOf(world, calendar, master, windowOf(request.query)).map((event) =>
      printed(event, request),
    );
    return pageOf(rows, request);
  });
}

/** Occurrences and exceptions of a series; what was called off is not among them. */
function instancesOf(world: World, calendar: Calendar, master: MailboxEvent, span: Span): MailboxEvent[] {
  return eventsOfCopy(world, calendar, master.copy, span).filter(
    (event) => event.type !== 'seriesMaster' && !event.isCancelled,
  );
}

function eventBehind(
  world: World,
  calendar: Calendar,
  request: GraphRequest,
  fromTrash = false,
): MailboxEvent {
  const id = request.params.id ?? '';
  if (!/^[\w\-+/=]+$/.test(id)) throw refusals.idMalformed();
  const event = findEvent(world, calendar, id) ?? (fromTrash ? findInTrash(world, calendar, id) : null);
  if (event === null) throw refusals.itemMissing();
  return event;
}

function rowOf(world: World, event: MailboxEvent, request: GraphRequest): Row {
  const { preferences, query } = request;
  const row = select(fullRow(world, event, preferences), query);
  if (event.type === 'seriesMaster' && selects(query, 'cancelledOccurrences')) {
    const id = eventId(world, event, preferences.immutableIds);
    row.cancelledOccurrences = cancelledOccurrences(world, event, id);
  }
  const expand = query.get('$expand') ?? '';
  if (/singleValueExtendedProperties/i.test(expand)) {
    const properties = extendedProperties(event, expand);
    if (properties.length > 0) row.singleValueExtendedProperties = properties;
  }
  return row;
}

/** `id eq 'String {GUID} Name X'`: the property X of this copy, else the one shared by all copies. */
function extendedProperties(event: MailboxEvent, expand: string): Row[] {
  const values = { ...event.meeting.sharedProperties, ...event.copy.privateProperties };
  return [...expand.matchAll(/id\s+eq\s+'([^']+)'/gi)].flatMap(([, id = '']) => {
    const value = values[/\bName\s+(\S+)\s*$/.exec(id)?.[1] ?? ''];
    return value === undefined ? [] : [{ id, value }];
  });
}

function refuseFilter(request: GraphRequest): void {
  if (!request.query.has('$filter')) return;
  throw refusals.badRequest('The query filter contains one or more invalid nodes.');
}

function deltaBody(page: DeltaPage, request: GraphRequest): Row {
  const name = page.next.kind === 'skip' ? 'skip' : 'delta';
  return {
    '@odata.context': `${request.origin}/v1.0/$metadata#Collection(event)`,
    [`@odata.${name === 'skip' ? 'nextLink' : 'deltaLink'}`]: `${request.origin}${request.path}?$${name}token=${page.next.token}`,
    value: page.rows,
  };
}
