import { BASE64URL } from '../world/random.ts';
import type { GoogleContext } from './context.ts';
import type { EventRef } from './event-resource.ts';

/** A listing begun: what is still to be shown, and where the sync token will point when all was shown. */
export interface Listing {
  owner: string;
  /** The query that began it; every further page must repeat it. */
  query: string;
  refs: EventRef[];
  /** Where the next page begins. */
  offset: number;
  /** Whether the page before was an empty one; two in a row would only slow everybody down. */
  afterEmpty: boolean;
  /** The calendar's sequence at the first page: what changes while paging comes with the next delta. */
  seq: number;
  generation: number;
  /** Whether a sync token may come at the end. */
  syncable: boolean;
}

/** Long-forgotten page tokens are dropped; a listing left half-read must not be kept for ever. */
const LISTINGS_KEPT = 2000;

export interface Pages {
  /** Makes a token that leads on from where a listing stands. */
  keep(listing: Listing): string;
  find(token: string): Listing | undefined;
}

export function createPages(context: GoogleContext): Pages {
  const listings = new Map<string, Listing>();
  return {
    keep(listing) {
      const token = `EooB${context.random.text(BASE64URL, 60)}`;
      listings.set(token, { ...listing });
      const oldest = listings.keys().next();
      if (listings.size > LISTINGS_KEPT && oldest.done !== true) listings.delete(oldest.value);
      return token;
    },
    find: (token) => listings.get(token),
  };
}

/** What a sync token means. Clients see base64 and must not look inside. */
export interface SyncPoint {
  owner: string;
  seq: number;
  generation: number;
  /** The parameters that have to stay the same. */
  parameters: string;
}

export function writeSyncToken(point: SyncPoint): string {
  return Buffer.from(JSON.stringify([point.owner, point.seq, point.generation, point.parameters])).toString(
    'base64',
  );
}

/** Reads a sync token back; null when it was never one. */
export function readSyncToken(token: string): SyncPoint | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
    if (!Array.isArray(parts)) return null;
    const [owner, seq, generation, parameters] = parts as unknown[];
    if (typeof owner !== 'string' || typeof seq !== 'number') return null;
    if (typeof generation !== 'number' || typeof parameters !== 'string') return null;
    return { owner, seq, generation, parameters };
  } catch {
    return null;
  }
}
