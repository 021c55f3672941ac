import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type ChannelCounts, createInstruments } from '../../src/http/instruments.ts';

const COUNTS: Awaited<ReturnType<ChannelCounts>> = {
  expected: [{ provider: 'google', calendars: 3 }],
  actual: [{ provider: 'google', state: 'verified', channels: 2 }],
};

test('one reading of the metrics counts the channels once, the next one counts anew', async () => {
  const registry = new Registry();
  const given = [COUNTS, { expected: [], actual: [] }];
  let asked = 0;
  createInstruments(registry, async () => {
    asked += 1;
    return given[asked - 1] ?? COUNTS;
  });
  const first = await registry.metrics();
  expect(asked).toBe(1);
  expect(first).toContain('cadenced_channels_expected{provider="google"} 3');
  expect(first).toContain('cadenced_channels{provider="google",state="verified"} 2');
  const second = await registry.metrics();
  expect(asked).toBe(2);
  expect(second).not.toContain('provider="google"');
});

test('a count that fails fails its reading alone', async () => {
  const registry = new Registry();
  let asked = 0;
  createInstruments(registry, async () => {
    asked += 1;
    if (asked === 1) throw new Error('the database is away');
    return COUNTS;
  });
  await expect(registry.metrics()).rejects.toThrow('the database is away');
  expect(await registry.metrics()).toContain('cadenced_channels_expected{provider="google"} 3');
  expect(asked).toBe(2);
});
