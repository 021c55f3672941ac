import PQueue from 'p-queue';
import { PgBoss } from 'pg-boss';
import type { Log } from '../runtime/log.ts';
import { describeError } from '../runtime/redact.ts';

/**
 * Jobs on pg-boss, in the daemon's own Postgres. A job is only "do this now": when something is due, and what became
 * of it, stands in our own tables. The queue policy `stately` with a key means that of each thing at most one job
 * runs and at most one waits: no wake-up is lost, none multiplied, however many replicas ask.
 */
export interface JobHandlers {
  readonly [queue: string]: {
    /** Jobs of this queue that run at once in this process. */
    readonly atOnce: number;
    /** How many of these places only jobs that go first may take; none unless told. */
    readonly keptForFirst?: number;
    run(data: JobData, signal: AbortSignal): Promise<void>;
  };
}

export interface JobData {
  readonly calendarId?: number;
}

export interface Job {
  /** Of jobs with one key at most one runs and one waits. */
  readonly key: string;
  readonly data: JobData;
  /** Before all others of its queue that wait: somebody changed something just now, and need not wait for a round of all. */
  readonly first?: boolean;
}

export interface JobRunner {
  readonly name: string;
  start(): Promise<void>;
  /** Lets running jobs end (they are told to), then leaves. What did not end is taken over by its heartbeat. */
  stop(): Promise<void>;
  /**
   * Adds jobs in one statement: a thousand calendars that are due together must not cost a thousand round trips.
   * @returns how many were added; those for whose key one is waiting already were not
   */
  enqueue(queue: string, jobs: readonly Job[]): Promise<number>;
  /** Resolves when no job is running or waiting that this process could take. */
  drained(): Promise<void>;
}

/** A worker that died is noticed after this long without a heartbeat. */
const HEARTBEAT_SECONDS = 30;
/**
 * The engine fails a job that runs longer, heartbeat or not, and starts it a second time beside itself. A big mailbox that
 * is read in full may take an hour, so that the heartbeat alone tells who has died. This is the most that the engine allows.
 */
const EXPIRE_SECONDS = 86_400;
/** How long jobs of other replicas wait at most; our own wake the loop at once. */
const LOOK_EVERY_MS = 2_000;

/** The priority of jobs that go first; the others have none. */
const FIRST = 1;

/** Puts jobs first that wait already, as part of a round of all. In one statement, for which the engine has no call. */
async function putAhead(boss: PgBoss, queue: string, keys: readonly string[]): Promise<void> {
  await boss.getDb().executeSql(
    `update pgboss.job set priority = $1
      where name = $2 and singleton_key = any ($3::text[]) and state = 'created' and priority < $1`,
    [FIRST, queue, keys],
  );
}

export function createJobRunner(options: {
  readonly connectionString: string;
  readonly handlers: JobHandlers;
  readonly log: Log;
}): JobRunner {
  const { handlers, log } = options;
  const boss = new PgBoss({
    connectionString: options.connectionString,
    schema: 'pgboss',
    application_name: 'cadenced jobs',
    max: 4,
  });
  // Errors of its upkeep arrive here; unheard they would end the process. Work goes on when the database is back.
  boss.on('error', (problem) =>
    log.warn({ problem: describeError(problem) }, 'the job engine met a problem'),
  );
  const loops = Object.entries(handlers).map(([queue, handler]) => new Loop(boss, queue, handler, log));
  let started = false;
  return {
    name: 'jobs',
    async start() {
      if (started) return;
      started = true;
      await boss.start();
      for (const { queue } of loops) {
        await boss.createQueue(queue, {
          policy: 'stately',
          retryLimit: 0,
          heartbeatSeconds: HEARTBEAT_SECONDS,
          deleteAfterSeconds: 3_600,
          retentionSeconds: 86_400,
        });
      }
      for (const loop of loops) loop.start();
    },
    async stop() {
      if (!started) return;
      started = false;
      await Promise.all(loops.map((loop) => loop.stop()));
      await boss.stop({ graceful: false, close: true });
    },
    async enqueue(queue, jobs) {
      if (jobs.length === 0) return 0;
      // In one order: two replicas that add the same jobs wait for each other row by row, never in a circle.
      const rows = jobs
        .map(({ key, data, first }) => ({
          singletonKey: key,
          data,
          priority: first ? FIRST : 0,
          // With each job: a queue that is there already keeps what it was made with.
          expireInSeconds: EXPIRE_SECONDS,
        }))
        .sort((one, other) => (one.singletonKey < other.singletonKey ? -1 : 1));
      const added = (await boss.insert(queue, rows, { returnId: true }))?.length ?? 0;
      const ahead = rows.filter(({ priority }) => priority === FIRST).map(({ singletonKey }) => singletonKey);
      if (ahead.length > 0 && added < rows.length) await putAhead(boss, queue, ahead);
      if (added > 0) loops.find((loop) => loop.queue === queue)?.wake();
      return added;
    },
    async drained() {
      await Promise.all(loops.map((loop) => loop.drained()));
    },
  };
}

class Loop {
  readonly queue: string;
  readonly #boss: PgBoss;
  readonly #handler: JobHandlers[string];
  readonly #log: Log;
  readonly #slots: PQueue;
  readonly #stopping = new AbortController();
  readonly #active = new Set<string>();
  /** Jobs that ended while the database could not be told. */
  readonly #unsettled = new Set<string>();
  #wakes = 0;
  #wakeUp: (() => void) | null = null;
  #ended: Promise<void> = Promise.resolve();
  #idleAt = -1;
  #idleWaiters: Array<{ after: number; resolve: () => void }> = [];

  constructor(boss: PgBoss, queue: string, handler: JobHandlers[string], log: Log) {
    this.queue = queue;
    this.#boss = boss;
    this.#handler = handler;
    this.#log = log;
    this.#slots = new PQueue({ concurrency: handler.atOnce });
  }

  start(): void {
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new DOMException(`${this.queue} is stopping`, 'AbortError'));
    this.wake();
    await this.#ended;
    await this.#slots.onIdle();
  }

  wake(): void {
    this.#wakes += 1;
    this.#wakeUp?.();
  }

  /** Idle after a look that began after this call: what was enqueued before it has been taken and has ended. */
  drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idleWaiters.push({ after: this.#wakes + 1, resolve });
    this.wake();
    return promise;
  }

  async #run(): Promise<void> {
    const heartbeat = setInterval(() => void this.#touch(), (HEARTBEAT_SECONDS * 1000) / 3);
    try {
      while (!this.#stopping.signal.aborted) {
        const seen = this.#wakes;
        const free = this.#handler.atOnce - this.#active.size;
        const open = free - (this.#handler.keptForFirst ?? 0);
        let taken = 0;
        if (open > 0) taken = await this.#take({ batchSize: open });
        else if (free > 0) taken = await this.#take({ batchSize: free, minPriority: FIRST });
        if (taken > 0) continue;
        // A look for some jobs only says nothing of the others.
        if (open > 0 && this.#active.size === 0) this.#becameIdle(seen);
        await this.#sleep(seen);
      }
    } finally {
      clearInterval(heartbeat);
      this.#becameIdle(Number.POSITIVE_INFINITY);
    }
  }

  async #take(wanted: { readonly batchSize: number; readonly minPriority?: number }): Promise<number> {
    try {
      if (this.#unsettled.size > 0) {
        const ids = [...this.#unsettled];
        await this.#boss.fail(this.queue, ids);
        for (const id of ids) this.#unsettled.delete(id);
      }
      const jobs = await this.#boss.fetch<JobData>(this.queue, wanted);
      for (const job of jobs) {
        this.#active.add(job.id);
        void this.#slots.add(() => this.#perform(job.id, job.data));
      }
      return jobs.length;
    } catch (problem) {
      // The database is away: the loop looks again after its pause, for as long as it takes.
      this.#log.warn({ queue: this.queue, problem: describeError(problem) }, 'jobs could not be fetched');
      return 0;
    }
  }

  async #perform(id: string, data: JobData): Promise<void> {
    try {
      await this.#handler.run(data ?? {}, this.#stopping.signal);
      await this.#boss.complete(this.queue, id);
    } catch (problem) {
      if (!this.#stopping.signal.aborted) {
        this.#log.error({ queue: this.queue, problem: describeError(problem) }, 'a job failed');
      }
      // The database may be away; then it is told when it is back, or else the key would wait for the heartbeat.
      await this.#boss.fail(this.queue, id).catch(() => this.#unsettled.add(id));
    } finally {
      this.#active.delete(id);
      this.wake();
    }
  }

  async #touch(): Promise<void> {
    if (this.#active.size === 0) return;
    await this.#boss.touch(this.queue, [...this.#active]).catch((problem: unknown) => {
      this.#log.warn({ queue: this.queue, problem: describeError(problem) }, 'a heartbeat did not arrive');
    });
  }

  #becameIdle(seen: number): void {
    this.#idleAt = seen;
    const settled = this.#idleWaiters.filter((waiter) => waiter.after <= this.#idleAt);
    this.#idleWaiters = this.#idleWaiters.filter((waiter) => waiter.after > this.#idleAt);
    for (const waiter of settled) waiter.resolve();
  }

  async #sleep(seen: number): Promise<void> {
    if (this.#wakes !== seen || this.#stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_EVERY_MS);
    this.#wakeUp = resolve;
    await promise;
    clearTimeout(timer);
    this.#wakeUp = null;
  }
}
