import { DateTime, type Duration } from 'luxon';

/**
 * The daemon's one source of business time, in UTC. It never serves tokens, signature timestamps, locks,
 * job times or time-outs: those follow the machine's clock even when this one is moved.
 */
export type Clock = {
  now(): DateTime<true>;
};

/** A clock somebody may move: the sandbox and the tests live through weeks with it. */
export type SettableClock = Clock & {
  set(instant: DateTime): void;
  advance(by: Duration): void;
};

/** The machine's clock. */
export function systemClock(): Clock {
  return { now: () => DateTime.utc() };
}

/** A clock that runs at the machine's pace, ahead of it by `offset` (behind it when negative). */
export function offsetClock(offset: Duration, machine: Clock = systemClock()): SettableClock {
  const start = machine.now();
  let aheadMs = valid(start.plus(offset)).toMillis() - start.toMillis();
  const now = () => machine.now().plus({ milliseconds: aheadMs });
  return {
    now,
    set(instant) {
      aheadMs = valid(instant).toMillis() - machine.now().toMillis();
    },
    advance(by) {
      // Through a date, because a month is as long as the month it is added to.
      const current = now();
      aheadMs += valid(current.plus(by)).toMillis() - current.toMillis();
    },
  };
}

/** A clock that shows `instant` when it is created and runs on from there at the machine's pace. */
export function clockStartingAt(instant: DateTime, machine: Clock = systemClock()): SettableClock {
  return offsetClock(valid(instant).diff(machine.now()), machine);
}

/** A clock standing at `instant` (ISO 8601 text, UTC unless it says otherwise) until it is moved. */
export function fixedClock(instant: string | DateTime): SettableClock {
  let current = valid(typeof instant === 'string' ? DateTime.fromISO(instant, { zone: 'utc' }) : instant);
  return {
    now: () => current,
    set(next) {
      current = valid(next);
    },
    advance(by) {
      current = valid(current.plus(by));
    },
  };
}

function valid(instant: DateTime): DateTime<true> {
  if (!instant.isValid) throw new RangeError('a clock cannot show an invalid instant');
  return instant.toUTC() as DateTime<true>;
}
