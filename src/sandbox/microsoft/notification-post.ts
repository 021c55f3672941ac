import type { Random } from '../world/random.ts';

export interface NotificationHabits {
  /** How long notifications are gathered before they are posted, in real milliseconds. */
  notificationDelayMs: number;
  /** How many items one POST holds at most. */
  notificationBatch: number;
  /** How often each notification is posted: 2 tells everything twice. */
  notificationCopies: number;
  /** The share that is never posted, in [0, 1]. */
  notificationLoss: number;
  /** Waits before a refused POST is tried again, in real milliseconds; after the last it is given up. */
  notificationRetriesMs: readonly number[];
}

export type Post = Readonly<Record<string, unknown>>;

/** One POST to a notification URL. */
export interface Delivery {
  readonly url: string;
  readonly items: readonly unknown[];
  /** Null where no answer came. */
  readonly status: number | null;
  /** How long the answer took, in real milliseconds. */
  readonly tookMs: number;
}

export interface Postman {
  /** Posts an item some time soon, together with others for the same URL, again when it is refused. */
  readonly queue: (url: string, item: Post) => void;
  /** Posts items at once and once. */
  readonly post: (url: string, items: readonly unknown[]) => Promise<Delivery>;
  readonly shakeHands: (
    url: string,
    token: string,
    timeoutMs: number,
  ) => Promise<'ok' | 'refused' | 'timed out'>;
  readonly deliveries: () => readonly Delivery[];
  readonly delivered: () => Promise<void>;
  readonly close: () => void;
}

/** Carries notifications to subscribers: late, in heaps, twice or never, as the habits have it. */
export function createPostman(habits: NotificationHabits, random: Random): Postman {
  const waiting = new Map<string, Post[]>();
  const timers = new Set<NodeJS.Timeout>();
  const underWay = new Set<Promise<unknown>>();
  const deliveries: Delivery[] = [];
  const stopped = new AbortController();

  function later(ms: number, run: () => Promise<unknown>): void {
    if (stopped.signal.aborted) return;
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        void run().finally(resolve);
      }, ms);
      timers.add(timer);
    });
    underWay.add(done);
    void done.finally(() => underWay.delete(done));
  }

  async function post(url: string, items: readonly unknown[]): Promise<Delivery> {
    const begun = performance.now();
    let status: number | null = null;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({ value: items }),
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(10_000)]),
      });
      await answer.arrayBuffer();
      status = answer.status;
    } catch {
      status = null; // Nobody there, or too slow: to Graph it is all the same.
    }
    const delivery = { url, items, status, tookMs: performance.now() - begun };
    deliveries.push(delivery);
    return delivery;
  }

  async function deliver(url: string, items: readonly Post[], tries: number): Promise<void> {
    const { status } = await post(url, items);
    const wait = habits.notificationRetriesMs[tries];
    if (status !== null && status < 300) return;
    if (wait !== undefined) later(wait, () => deliver(url, items, tries + 1));
  }

  async function flush(url: string): Promise<void> {
    const items = waiting.get(url) ?? [];
    waiting.delete(url);
    for (let at = 0; at < items.length; at += habits.notificationBatch) {
      await deliver(url, items.slice(at, at + habits.notificationBatch), 0);
    }
  }

  return {
    queue(url, item) {
      if (random.next() < habits.notificationLoss) return;
      const copies = Array.from({ length: habits.notificationCopies }, () => item);
      const others = waiting.get(url);
      if (others !== undefined) {
        others.push(...copies);
        return;
      }
      waiting.set(url, copies);
      later(habits.notificationDelayMs, () => flush(url));
    },
    post,
    async shakeHands(url, token, timeoutMs) {
      const asked = `${url}${url.includes('?') ? '&' : '?'}validationToken=${encodeURIComponent(token)}`;
      const begun = performance.now();
      try {
        const answer = await fetch(asked, {
          method: 'POST',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          redirect: 'manual',
          signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(timeoutMs)]),
        });
        const body = await answer.text();
        deliveries.push({ url: asked, items: [], status: answer.status, tookMs: performance.now() - begun });
        const isText = (answer.headers.get('content-type') ?? '').startsWith('text/plain');
        return answer.status === 200 && isText && body === token ? 'ok' : 'refused';
      } catch (error) {
        deliveries.push({ url: asked, items: [], status: null, tookMs: performance.now() - begun });
        return error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'refused';
      }
    },
    deliveries: () => deliveries,
    async delivered() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    close() {
      stopped.abort();
      for (const timer of timers) clearTimeout(timer);
      underWay.clear();
    },
  };
}
