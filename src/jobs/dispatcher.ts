import type { DueWork, WorkFinder } from '../ports/due-work.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { describeError } from '../runtime/redact.ts';
import type { Job, JobRunner } from './job-runner.ts';

/** The queues. Their names are seen in the job tables and in logs. */
export const QUEUES = {
  sync: 'sync-calendar',
  channels: 'keep-channels',
  evidence: 'collect-evidence',
  judgement: 'judge-sessions',
  cadence: 'watch-cadence',
  months: 'renew-months',
  reminders: 'plan-reminders',
  mails: 'deliver-mails',
  webhooks: 'deliver-webhooks',
} as const;

export interface Dispatcher {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Looks at once instead of at the next tick. @returns how many jobs were added */
  dispatch(): Promise<number>;
  /** Resolves when nothing is due and no job is left: everything that follows from what happened has happened. */
  settled(): Promise<void>;
}

const TICK_MS = 1_000;
/** Well below the days that planning looks ahead. */
const REMINDERS_EVERY_MS = 6 * 3_600_000;
const CALENDARS_A_TICK = 200;
/** Rounds after which "settled" gives up: something makes work for itself. */
const MOST_ROUNDS = 200;

/** Reads one calendar. */
export function syncJob(calendarId: number): Job {
  return { key: String(calendarId), data: { calendarId } };
}

/** Turns what is due into jobs. Runs in every replica: the queues see to it that work is not doubled. */
export function createDispatcher(deps: {
  readonly finder: WorkFinder;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly log: Log;
}): Dispatcher {
  const { finder, jobs, clock, log } = deps;
  let remindersPlannedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<number> | null = null;

  const enqueue = async (due: DueWork): Promise<number> => {
    const now = clock.now().toMillis();
    const wanted: string[] = [];
    if (due.channels) wanted.push(QUEUES.channels);
    if (due.evidence) wanted.push(QUEUES.evidence);
    if (due.judgements) wanted.push(QUEUES.judgement);
    if (due.cadence) wanted.push(QUEUES.cadence);
    if (due.months) wanted.push(QUEUES.months);
    if (Math.abs(now - remindersPlannedAt) >= REMINDERS_EVERY_MS) {
      remindersPlannedAt = now;
      wanted.push(QUEUES.reminders);
    }
    if (due.mails) wanted.push(QUEUES.mails);
    if (due.webhooks) wanted.push(QUEUES.webhooks);
    const calendars = [
      ...due.pushed.map((calendarId) => ({ ...syncJob(calendarId), first: true })),
      ...due.calendars.map(syncJob),
    ];
    const added = await Promise.all([
      jobs.enqueue(QUEUES.sync, calendars),
      ...wanted.map((queue) => jobs.enqueue(queue, [{ key: 'all', data: {} }])),
    ]);
    return added.reduce((sum, count) => sum + count, 0);
  };

  /** By itself: plans that somebody else wrote must not stop what has nothing to do with them. */
  const takeUpPlans = async () => {
    try {
      await finder.takeUpPlans();
    } catch (problem) {
      log.warn({ problem: describeError(problem) }, 'plans could not be taken up; trying again');
    }
  };

  const look = (): Promise<number> => {
    // One look at a time; whoever asks meanwhile gets a look of its own afterwards.
    const next = (running ?? Promise.resolve(0)).then(async () => {
      await takeUpPlans();
      return enqueue(await finder.find(CALENDARS_A_TICK));
    });
    running = next.catch(() => 0);
    return next;
  };

  const tick = async () => {
    try {
      await look();
    } catch (problem) {
      log.warn({ problem: describeError(problem) }, 'what is due could not be read; trying again');
    }
    if (timer) timer = setTimeout(() => void tick(), TICK_MS);
  };

  return {
    name: 'dispatcher',
    async start() {
      if (timer) return;
      timer = setTimeout(() => void tick(), 0);
    },
    async stop() {
      if (timer) clearTimeout(timer);
      timer = null;
      await running;
    },
    dispatch: look,
    async settled() {
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        const added = await look();
        await jobs.drained();
        if (added === 0) return;
      }
      throw new Error(`work did not settle in ${MOST_ROUNDS} rounds`);
    },
  };
}
