/**
 * Things that arrive one by one, and people who wait for one of them.
 *
 * `waitFor` looks at what already came before it waits, so that a caller can never miss what arrived a moment
 * too early.
 */
export interface Arrivals<T> {
  readonly all: () => readonly T[];
  readonly add: (item: T) => void;
  readonly waitFor: (wanted: (item: T) => boolean, what: string, timeoutMs?: number) => Promise<T>;
  /** Refuses everybody who still waits. */
  readonly end: () => void;
}

interface Waiter<T> {
  readonly wanted: (item: T) => boolean;
  readonly settle: (item: T) => void;
  readonly refuse: (reason: string) => void;
}

export function createArrivals<T>(): Arrivals<T> {
  const items: T[] = [];
  const waiters = new Set<Waiter<T>>();
  return {
    all: () => [...items],
    add: (item) => {
      items.push(item);
      for (const waiter of [...waiters]) if (waiter.wanted(item)) waiter.settle(item);
    },
    waitFor: (wanted, what, timeoutMs = 10_000) => {
      const here = items.find(wanted);
      if (here !== undefined) return Promise.resolve(here);
      return new Promise<T>((resolve, reject) => {
        const waiter: Waiter<T> = {
          wanted,
          settle: (item) => {
            leave();
            resolve(item);
          },
          refuse: (reason) => {
            leave();
            reject(new Error(reason));
          },
        };
        const timer = setTimeout(
          () => waiter.refuse(`waited ${timeoutMs} ms for ${what}; ${items.length} others arrived`),
          timeoutMs,
        );
        const leave = () => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        waiters.add(waiter);
      });
    },
    end: () => {
      for (const waiter of [...waiters]) waiter.refuse('closed while somebody still waited');
    },
  };
}
