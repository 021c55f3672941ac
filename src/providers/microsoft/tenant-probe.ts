import { asFailure, type Failure, isFailure } from '../../domain/failure.ts';
import type { CalendarRef } from '../../ports/calendar-source.ts';
import type { Ask, Graph } from './client.ts';
import { unreadable } from './failures.ts';
import { pagesFrom } from './pages.ts';
import { bounds, eventPath, userPath } from './paths.ts';
import { ill, type ProbeFinding, well } from './probe.ts';
import { instantOf } from './time.ts';
import { resourceOf, type WireEvent, wireEvent } from './wire.ts';

/**
 * What Microsoft's documentation leaves open and a tenant can show without anything being written: how far the limit of
 * requests under way reaches, and what becomes of an event in the trash. The daemon copes with either answer; knowing
 * which it is explains what its log shows.
 */

/** As many as the daemon sends to a mailbox, and half of what a mailbox is known to take. */
const AT_ONCE_EACH = 2;
/** Beyond the four that are documented, so that the answer tells whether they count for a mailbox or for all. */
const LEAST_MAILBOXES = 3;
const DAY_MS = 86_400_000;

/** An event that was read once and is not on its calendar any more. */
export type DeletedEvent = Pick<CalendarRef, 'address'> & { readonly sourceId: string };

/**
 * Sends more requests at once than the application may have under way if mailboxes are counted together, and fewer to
 * each mailbox than it takes alone: Microsoft's pages disagree about which of the two is counted.
 * @param unpaced a Graph whose requests neither wait for one another nor are repeated
 * @param maxInFlight how many requests the daemon has under way at most
 */
export async function probeAtOnce(
  unpaced: Graph,
  maxInFlight: number,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const check = 'requests at once';
  const asked = (address: string) => {
    const now = Date.now();
    const view = `${userPath({ address })}/calendarView?${bounds({ from: now, until: now + DAY_MS })}&$top=1&$select=id`;
    return unpaced.get(view, { mailbox: address, signal }).then(() => null, asFailure);
  };
  const readable: string[] = [];
  // One after the other first: what cannot be read says nothing about a limit, and names are looked up only once.
  for (const address of addresses) if ((await asked(address)) === null) readable.push(address);
  if (readable.length < LEAST_MAILBOXES) {
    return well(check, `not tried: it takes ${LEAST_MAILBOXES} readable mailboxes to tell what is counted`);
  }
  const burst = readable.flatMap((address) => Array.from({ length: AT_ONCE_EACH }, () => address));
  const failures = (await Promise.all(burst.map(asked))).filter((outcome) => outcome !== null);
  const throttled = failures.filter(({ kind }) => kind === 'throttled').length;
  const told = `of ${burst.length} requests at once to ${readable.length} mailboxes`;
  if (throttled > 0) {
    return well(
      check,
      `${throttled} ${told} were throttled: mailboxes are counted together. One daemon sends ${maxInFlight} at most, so that only several of them, or other programs under the same registration, have to wait for each other`,
    );
  }
  if (failures.length > 0) {
    const finding = `${failures.length} ${told} were not answered (${codesOf(failures)}), so that nothing is known of the limit`;
    return { check, ok: false, finding, mend: 'try again; if it stays, look for a proxy before Graph' };
  }
  return well(
    check,
    `all ${told} were answered: each mailbox is counted for itself. One daemon sends ${maxInFlight} at most`,
  );
}

/** Asks for events that were deleted, by the immutable ids they had: an event in the trash may keep its own. */
export async function probeDeleted(
  graph: Graph,
  events: readonly DeletedEvent[],
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const check = 'deleted events';
  if (events.length === 0) return well(check, 'not tried: none was seen to be deleted in the last 30 days');
  const outcomes: Array<'gone' | 'in_trash' | 'stands' | Failure> = [];
  for (const event of events) outcomes.push(await whereabouts(graph, event, signal).catch(asFailure));
  if (outcomes.includes('in_trash')) {
    return well(
      check,
      'are still given by their ids, from the trash; cadenced believes no event that the calendar does not show',
    );
  }
  if (outcomes.includes('gone')) return well(check, 'are not given by their ids any more');
  const failed = outcomes.find((outcome) => isFailure(outcome));
  if (failed !== undefined) return ill(check, failed, 'try again');
  return well(check, 'not tried: those that were seen to be deleted stand on their calendars again');
}

async function whereabouts(
  graph: Graph,
  { address, sourceId }: DeletedEvent,
  signal: AbortSignal,
): Promise<'gone' | 'in_trash' | 'stands'> {
  const ask = { mailbox: address, signal };
  let event: WireEvent;
  try {
    const { body } = await graph.get(`${eventPath({ address }, sourceId)}?$select=id,start,end`, ask);
    event = resourceOf(wireEvent, body);
  } catch (error) {
    if (isFailure(error, 'gone') && error.code === 'item_not_found') return 'gone';
    throw error;
  }
  return (await stands(graph, address, event, ask)) ? 'stands' : 'in_trash';
}

async function stands(
  graph: Graph,
  address: string,
  { id, start, end }: WireEvent,
  ask: Ask,
): Promise<boolean> {
  const from = start ? instantOf(start) : null;
  const until = end ? instantOf(end) : null;
  if (from === null || until === null) throw unreadable('an event without its times');
  // All-day events lie at midnight of the mailbox's zone, wherever that is.
  const window = { from: from - DAY_MS, until: until + DAY_MS };
  const view = `${userPath({ address })}/calendarView?${bounds(window)}&$top=100&$select=id`;
  for await (const page of pagesFrom(graph, view, ask)) {
    if (page.value.some((row) => resourceOf(wireEvent, row).id === id)) return true;
  }
  return false;
}

function codesOf(failures: readonly Failure[]): string {
  return [...new Set(failures.map(({ kind, code }) => `${kind}/${code}`))].join(', ');
}
