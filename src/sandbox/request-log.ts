/** One request a provider's stand-in received. */
export interface RequestEntry {
  provider: string;
  method: string;
  /** Path and query as sent. */
  url: string;
  path: string;
  query: Record<string, string[]>;
  /** Whose calendar it was about (primary address), null when it was about none. */
  mailbox: string | null;
  quotaUser: string | null;
  /** The kind of fault that hit it. */
  fault: string | null;
  /** The world's instant of arrival. */
  at: number;
  /** Null while it is being answered, and for good when the connection was torn. */
  status: number | null;
  done: boolean;
  /** How many requests for the same mailbox were being answered when it came, itself included. */
  inFlight: number;
}

export interface RequestLog {
  entries(): readonly RequestEntry[];
  /** The highest number of requests in flight at once: for one mailbox, or the highest of all. */
  maxInFlight(mailbox?: string): number;
  /** The highest number of requests to one provider's stand-in in flight at once, over all mailboxes. */
  maxTogether(provider: string): number;
  inFlight(mailbox: string): number;
  clear(): void;
  /** Resolves with the first entry, past or to come, that satisfies the condition once it is done. */
  waitFor(condition: (entry: RequestEntry) => boolean): Promise<RequestEntry>;
  begin(
    request: Pick<RequestEntry, 'provider' | 'method' | 'url' | 'mailbox' | 'quotaUser' | 'fault'>,
  ): RequestEntry;
  end(entry: RequestEntry, status: number | null): void;
}

/** A long-running demonstration must not grow with every poll. */
const ENTRIES_KEPT = 20_000;

/** Builds an empty log; `now` gives the world's instant. */
export function createRequestLog(now: () => number): RequestLog {
  let entries: RequestEntry[] = [];
  const current = new Map<string, number>();
  const highest = new Map<string, number>();
  const together = new Map<string, { now: number; most: number }>();
  const waiting = new Set<(entry: RequestEntry) => void>();
  const keyOf = (entry: { provider: string; mailbox: string | null }): string =>
    entry.mailbox ?? entry.provider;
  return {
    entries: () => entries,
    maxInFlight: (mailbox) =>
      mailbox === undefined ? Math.max(0, ...highest.values()) : (highest.get(mailbox) ?? 0),
    maxTogether: (provider) => together.get(provider)?.most ?? 0,
    inFlight: (mailbox) => current.get(mailbox) ?? 0,
    clear() {
      entries = [];
      highest.clear();
      for (const counts of together.values()) counts.most = counts.now;
    },
    async waitFor(condition) {
      const known = entries.find((entry) => entry.done && condition(entry));
      if (known !== undefined) return known;
      return new Promise((resolve) => {
        const look = (entry: RequestEntry): void => {
          if (!condition(entry)) return;
          waiting.delete(look);
          resolve(entry);
        };
        waiting.add(look);
      });
    },
    begin(request) {
      const key = keyOf(request);
      const inFlight = (current.get(key) ?? 0) + 1;
      current.set(key, inFlight);
      highest.set(key, Math.max(inFlight, highest.get(key) ?? 0));
      const counts = together.get(request.provider) ?? { now: 0, most: 0 };
      counts.now += 1;
      counts.most = Math.max(counts.most, counts.now);
      together.set(request.provider, counts);
      const { pathname, searchParams } = new URL(request.url, 'http://sandbox.invalid');
      const query = Object.fromEntries(
        [...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]),
      );
      const entry = { ...request, path: pathname, query, at: now(), status: null, done: false, inFlight };
      if (entries.length >= ENTRIES_KEPT) entries = entries.slice(ENTRIES_KEPT / 2);
      entries.push(entry);
      return entry;
    },
    end(entry, status) {
      entry.status = status;
      entry.done = true;
      const counts = together.get(entry.provider);
      if (counts !== undefined) counts.now = Math.max(0, counts.now - 1);
      const key = keyOf(entry);
      current.set(key, Math.max(0, (current.get(key) ?? 1) - 1));
      for (const look of [...waiting]) look(entry);
    },
  };
}
