import { isFailure } from '../../domain/failure.ts';
import type { CalendarRef } from '../../ports/calendar-source.ts';
import type { Ask, Graph } from './client.ts';
import { eventPath } from './paths.ts';
import { completedFrom, isThin, kindOf } from './reading.ts';
import { MASTER_FIELDS, resourceOf, type WireEvent, type WireMaster, wireMaster } from './wire.ts';

/** A series by its id. @throws Failure, `gone` where Graph says that there is no such event */
export async function masterOf(
  graph: Graph,
  calendar: CalendarRef,
  seriesId: string,
  ask: Ask,
): Promise<WireMaster> {
  const { body } = await graph.get(`${eventPath(calendar, seriesId)}?$select=${MASTER_FIELDS}`, ask);
  return resourceOf(wireMaster, body);
}

/** Graph said that this very item is not there; that the user or the mailbox is missing is another matter. */
export function isItemGone(error: unknown): boolean {
  return isFailure(error, 'gone') && (error.code === 'item_not_found' || error.status === 410);
}

/**
 * Completes the exceptions of a calendar's view from their masters, each of which is asked for once. Plain occurrences
 * come whole in a view: what is empty there is empty in the series, and asking would cost a request for every series.
 */
export function completing(
  graph: Graph,
  calendar: CalendarRef,
  ask: Ask,
): (rows: readonly WireEvent[]) => Promise<WireEvent[]> {
  const masters = new Map<string, WireMaster | null>();

  async function known(seriesId: string): Promise<WireMaster | null> {
    const held = masters.get(seriesId);
    if (held !== undefined) return held;
    // One "not found" may be a fault, and what it left without words would be taken for untagged.
    const master = (await found(seriesId)) ?? (await found(seriesId));
    masters.set(seriesId, master);
    return master;
  }

  async function found(seriesId: string): Promise<WireMaster | null> {
    try {
      return await masterOf(graph, calendar, seriesId, ask);
    } catch (error) {
      if (isItemGone(error)) return null;
      throw error;
    }
  }

  return async (rows) => {
    const whole: WireEvent[] = [];
    for (const row of rows) {
      const thin = kindOf(row) === 'exception' && isThin(row) && row.seriesMasterId;
      const master = thin ? await known(thin) : null;
      whole.push(master === null ? row : completedFrom(master, row));
    }
    return whole;
  };
}
