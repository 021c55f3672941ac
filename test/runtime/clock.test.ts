import { DateTime, Duration } from 'luxon';
import { describe, expect, it } from 'vitest';
import { clockStartingAt, fixedClock, offsetClock, systemClock } from '../../src/runtime/clock.ts';

describe('clocks', () => {
  it('show UTC, whatever they were set with', () => {
    const clock = fixedClock(DateTime.fromISO('2026-03-29T03:30:00', { zone: 'Europe/Berlin' }));
    expect(clock.now().toISO()).toBe('2026-03-29T01:30:00.000Z');
    expect(systemClock().now().zoneName).toBe('UTC');
  });

  it('the machine clock shows the time of the machine', () => {
    const before = Date.now();
    const shown = systemClock().now().toMillis();
    expect(shown).toBeGreaterThanOrEqual(before);
    expect(shown).toBeLessThanOrEqual(Date.now());
  });

  it('an offset clock runs with the machine and can be moved', () => {
    const machine = fixedClock('2026-01-31T12:00:00Z');
    const clock = offsetClock(Duration.fromISO('P-3D'), machine);
    expect(clock.now().toISO()).toBe('2026-01-28T12:00:00.000Z');
    machine.advance(Duration.fromObject({ hours: 1 }));
    expect(clock.now().toISO()).toBe('2026-01-28T13:00:00.000Z');
    clock.set(DateTime.fromISO('2026-01-31T00:00:00Z'));
    clock.advance(Duration.fromObject({ months: 1 }));
    expect(clock.now().toISO()).toBe('2026-02-28T00:00:00.000Z');
    machine.advance(Duration.fromObject({ seconds: 1 }));
    expect(clock.now().toISO()).toBe('2026-02-28T00:00:01.000Z');
  });

  it('a clock started at an instant shows it first', () => {
    const machine = fixedClock('2026-01-31T12:00:00Z');
    const clock = clockStartingAt(DateTime.fromISO('2030-01-01T00:00:00Z'), machine);
    expect(clock.now().toISO()).toBe('2030-01-01T00:00:00.000Z');
    machine.advance(Duration.fromObject({ days: 1 }));
    expect(clock.now().toISO()).toBe('2030-01-02T00:00:00.000Z');
  });

  it('refuse what is no instant', () => {
    const clock = fixedClock('2026-01-01T00:00:00Z');
    expect(() => fixedClock('yesterday')).toThrow(RangeError);
    expect(() => clock.set(DateTime.invalid('none'))).toThrow(RangeError);
    expect(clock.now().toISO()).toBe('2026-01-01T00:00:00.000Z');
  });
});
