import { expect } from 'vitest';
import type { Service } from '../../src/runtime/shutdown.ts';

/**
 * Proves that a service keeps the start/stop contract: rounds of racing starts and stops, after each of which a
 * stop must leave it at rest. `running` says how many of its loops run at the moment; it may never pass one.
 */
export async function stressStartStop(service: Service, running: () => number, rounds = 10): Promise<void> {
  await service.stop();
  expect(running()).toBe(0);
  for (let round = 0; round < rounds; round++) {
    const calls = Array.from({ length: 50 }, (_, n) => ((n * 7 + round) % 3 === 0 ? 'stop' : 'start'));
    await Promise.all(
      calls.map(async (call) => {
        await service[call as 'start' | 'stop']();
        expect(running()).toBeLessThanOrEqual(1);
      }),
    );
    await Promise.all([service.stop(), service.stop()]);
    expect(running()).toBe(0);
  }
  await service.start();
  await service.start();
  await service.stop();
  expect(running()).toBe(0);
}
