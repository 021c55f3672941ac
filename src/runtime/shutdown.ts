import type { Log } from './log.ts';

/**
 * A thing that runs in the background. Whoever implements it keeps to this, and `test/support/start-stop-stress.ts`
 * proves it: `start` when started and `stop` when stopped do nothing, `stop` before `start` is allowed, any of
 * them may be called while another runs, and after `stop` returned nothing of it runs any more.
 */
export type Service = {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Why a service's signal was aborted: asked to stop, as opposed to failing. */
export class Stopping extends Error {
  override readonly name = 'Stopping';
  constructor(service: string) {
    super(`${service} was asked to stop`);
  }
}

/**
 * A service around one long-running function. `run` gets a signal and must end soon after it is aborted. When it
 * ends without having been asked, `onFailure` is told why (and the service may be started again).
 */
export function backgroundService(
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
  onFailure: (error: unknown) => void,
): Service {
  let running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  // Starts and stops take turns, so that a start called during a stop begins after it and not into it.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    turn = turn.then(step, step); // one that failed must not block those behind it
    return turn;
  };

  const begin = () => {
    const controller = new AbortController();
    const { signal } = controller;
    const ended = Promise.resolve()
      .then(() => run(signal))
      .then(
        () => (signal.aborted ? undefined : new Error(`${name} ended although nobody stopped it`)),
        (error: unknown) => (signal.aborted && isStop(error, signal) ? undefined : error),
      )
      .then((error) => {
        if (running?.controller === controller && !signal.aborted) running = undefined;
        if (error !== undefined) onFailure(error);
      });
    running = { controller, ended };
  };

  return {
    name,
    start: () =>
      inTurn(async () => {
        if (running === undefined) begin();
      }),
    stop: () =>
      inTurn(async () => {
        const stopped = running;
        if (stopped === undefined) return;
        stopped.controller.abort(new Stopping(name));
        await stopped.ended;
        running = undefined;
      }),
  };
}

/** Node's own functions wrap the reason of an aborted signal in an AbortError. */
function isStop(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

export type ShutdownOptions = {
  readonly log: Log;
  /** For everything together. Stay below what the supervisor allows (Kubernetes and Docker kill after 30 s and 10 s). */
  readonly deadlineMs: number;
  /** Ends the process at once, for the second signal and at the very end of an overdue shutdown. */
  readonly exit: (code: number) => void;
};

export type Shutdown = {
  /** Registers a step. Steps run one after the other, the last registered first: as things were built, reversed. */
  add(name: string, stop: () => Promise<unknown>): void;
  /** Aborted when the shutdown begins. */
  readonly signal: AbortSignal;
  /**
   * Begins the shutdown, once; later calls only join it. Returns when it is over, with the exit code: the one
   * asked for, or 1 when a step failed or did not finish in time.
   */
  request(reason: string, exitCode?: number): Promise<number>;
  /** Settles with the exit code when a shutdown is over, whoever asked for it. */
  readonly finished: Promise<number>;
  /** First SIGINT or SIGTERM: `request`. Second: `exit` at once. Returns a function that stops listening. */
  listen(signals: SignalSource): () => void;
};

type SignalSource = {
  on(name: 'SIGINT' | 'SIGTERM', listener: (name: NodeJS.Signals) => void): unknown;
  off(name: 'SIGINT' | 'SIGTERM', listener: (name: NodeJS.Signals) => void): unknown;
};

/** What each step gets that comes after the deadline: enough to close a socket, not enough to hang again. */
const GRACE_MS = 1_000;

const FORCED_EXIT: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

export function createShutdown(options: ShutdownOptions): Shutdown {
  const { log, deadlineMs, exit } = options;
  const steps: { name: string; stop: () => Promise<unknown> }[] = [];
  const controller = new AbortController();
  const { promise: finished, resolve: finish } = Promise.withResolvers<number>();
  let begun = false;

  const runSteps = async (exitCode: number): Promise<number> => {
    let code = exitCode;
    const deadline = performance.now() + deadlineMs;
    // Steps may be added while others run: whatever was built last goes first.
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const outcome = await within(step.stop, Math.max(deadline - performance.now(), GRACE_MS));
      if (outcome.kind === 'done') continue;
      code = code || 1;
      if (outcome.kind === 'overdue')
        log.error({ step: step.name }, 'did not stop in time; going on without it');
      else log.error({ step: step.name, err: outcome.error }, 'failed to stop');
    }
    return code;
  };

  const request = (reason: string, exitCode = 0): Promise<number> => {
    if (!begun) {
      begun = true;
      log.info({ reason }, 'stopping');
      controller.abort(new Stopping('cadenced'));
      void runSteps(exitCode).then(finish);
    }
    return finished;
  };

  return {
    add: (name, stop) => void steps.push({ name, stop }),
    signal: controller.signal,
    request,
    finished,
    listen(signals) {
      const onSignal = (name: NodeJS.Signals) => {
        if (begun) {
          log.warn({ signal: name }, 'forced to end');
          exit(FORCED_EXIT[name] ?? 1);
        } else void request(name);
      };
      const names = ['SIGINT', 'SIGTERM'] as const;
      for (const name of names) signals.on(name, onSignal);
      return () => {
        for (const name of names) signals.off(name, onSignal);
      };
    },
  };
}

type Outcome = { kind: 'done' } | { kind: 'overdue' } | { kind: 'failed'; error: unknown };

async function within(stop: () => Promise<unknown>, ms: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'overdue' }), ms);
  });
  const stopped = Promise.resolve()
    .then(stop)
    .then(
      (): Outcome => ({ kind: 'done' }),
      (error: unknown): Outcome => ({ kind: 'failed', error }),
    );
  const outcome = await Promise.race([stopped, overdue]);
  clearTimeout(timer);
  return outcome;
}
