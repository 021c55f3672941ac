import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { backgroundService, createShutdown, Stopping } from '../../src/runtime/shutdown.ts';
import { stressStartStop } from '../support/start-stop-stress.ts';

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort');
}

describe('backgroundService', () => {
  test('keeps the start/stop contract under racing calls', async () => {
    let running = 0;
    const failures: unknown[] = [];
    const service = backgroundService(
      'loop',
      async (signal) => {
        running++;
        await aborted(signal);
        await nextTick(); // work that is finished after the stop was asked for
        running--;
      },
      (error) => failures.push(error),
    );
    await stressStartStop(service, () => running);
    expect(failures).toEqual([]);
  });

  test('tells a stop from a failure', async () => {
    const failures: unknown[] = [];
    const told = Promise.withResolvers<void>();
    const record = (error: unknown) => {
      failures.push(error);
      told.resolve();
    };
    const stopped = backgroundService(
      'stopped',
      async (signal) => {
        await aborted(signal);
        throw signal.reason;
      },
      record,
    );
    await stopped.start();
    await stopped.stop();
    expect(failures).toEqual([]);

    const boom = new Error('boom');
    const failing = backgroundService('failing', () => Promise.reject(boom), record);
    await failing.start();
    await told.promise;
    expect(failures).toEqual([boom]);
    await failing.stop();
  });

  test('a failure on the way out is told too', async () => {
    const failures: unknown[] = [];
    const service = backgroundService(
      'messy',
      async (signal) => {
        await aborted(signal);
        throw new Error('could not save');
      },
      (error) => failures.push(error),
    );
    await service.start();
    await service.stop();
    expect(failures).toEqual([new Error('could not save')]);
  });

  test('one that ends by itself is told and can be started again', async () => {
    let runs = 0;
    const events = new EventEmitter();
    const service = backgroundService(
      'short',
      () => {
        runs++;
        return Promise.resolve();
      },
      (error) => events.emit('failed', error),
    );
    for (const expected of [1, 2]) {
      const failed = once(events, 'failed');
      await service.start();
      expect(await failed).toEqual([new Error('short ended although nobody stopped it')]);
      expect(runs).toBe(expected);
    }
    await service.stop();
  });
});

describe('createShutdown', () => {
  const forbidden = () => {
    throw new Error('exit must not be called');
  };

  test('runs the steps one after the other, the last registered first', async () => {
    const shutdown = createShutdown({ log: silentLog(), deadlineMs: 5_000, exit: forbidden });
    const order: string[] = [];
    for (const name of ['database', 'jobs', 'http']) {
      shutdown.add(name, async () => {
        order.push(`${name} begins`);
        await nextTick();
        order.push(`${name} ends`);
      });
    }
    expect(shutdown.signal.aborted).toBe(false);
    expect(await shutdown.request('test')).toBe(0);
    expect(shutdown.signal.reason).toBeInstanceOf(Stopping);
    expect(order).toEqual([
      'http begins',
      'http ends',
      'jobs begins',
      'jobs ends',
      'database begins',
      'database ends',
    ]);
  });

  test('asked twice, it runs once and keeps the first exit code', async () => {
    const shutdown = createShutdown({ log: silentLog(), deadlineMs: 5_000, exit: forbidden });
    let stops = 0;
    shutdown.add('once', async () => void stops++);
    expect(await Promise.all([shutdown.request('failure', 3), shutdown.request('again', 0)])).toEqual([3, 3]);
    expect(stops).toBe(1);
  });

  test('a step that fails or hangs costs the exit code, not the steps after it', async () => {
    const shutdown = createShutdown({ log: silentLog(), deadlineMs: 20, exit: forbidden });
    const done: string[] = [];
    shutdown.add('database', async () => void done.push('database'));
    shutdown.add('failing', () => Promise.reject(new Error('no')));
    shutdown.add('hanging', () => new Promise(() => undefined));
    expect(await shutdown.request('test')).toBe(1);
    expect(done).toEqual(['database']);
  });

  test('the first signal drains, the second ends at once', async () => {
    const exits: number[] = [];
    const shutdown = createShutdown({
      log: silentLog(),
      deadlineMs: 5_000,
      exit: (code) => exits.push(code),
    });
    const draining = Promise.withResolvers<void>();
    shutdown.add('drain', () => draining.promise);
    const signals = new EventEmitter();
    const unlisten = shutdown.listen(signals);
    signals.emit('SIGINT', 'SIGINT');
    expect([shutdown.signal.aborted, exits]).toEqual([true, []]);
    signals.emit('SIGTERM', 'SIGTERM');
    expect(exits).toEqual([143]);
    draining.resolve();
    expect(await shutdown.finished).toBe(0);
    unlisten();
    expect(signals.eventNames()).toEqual([]);
  });
});
