import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { planReminderTimes, quietAround, type ReminderFacts } from '../../src/domain/reminders.ts';

const START = DateTime.fromISO('2026-03-10T14:00:00Z', { zone: 'utc' });
const OFFSETS = ['P1D', 'PT1H'];
const NIGHT = { from: '21:00', until: '07:00' };

function facts(changes: Partial<ReminderFacts> = {}): ReminderFacts {
  return {
    startsAt: START,
    cancelled: false,
    declined: false,
    otherSideDeclined: false,
    zone: 'UTC',
    ...changes,
  };
}

const plan = (now: DateTime, changes: Partial<ReminderFacts> = {}, quiet: typeof NIGHT | null = null) =>
  planReminderTimes(facts(changes), OFFSETS, quiet, now).map(({ offset, dueAt, suppressed }) => [
    offset,
    dueAt.toUTC().toISO({ suppressMilliseconds: true }),
    suppressed,
  ]);

describe('the times of reminders', () => {
  it('lie before the start by each offset', () => {
    expect(plan(START.minus({ days: 3 }))).toEqual([
      ['P1D', '2026-03-09T14:00:00Z', null],
      ['PT1H', '2026-03-10T13:00:00Z', null],
    ]);
  });

  it('of a session found late: the nearest missed one goes at once while half of it is left', () => {
    expect(plan(START.minus({ hours: 20 }))[0]).toEqual(['P1D', '2026-03-09T18:00:00Z', null]);
    expect(plan(START.minus({ hours: 11 }))[0]).toEqual(['P1D', '2026-03-09T14:00:00Z', 'too_late']);
    expect(plan(START.minus({ minutes: 40 })).map((one) => one[2])).toEqual(['too_late', null]);
    expect(plan(START.minus({ minutes: 10 })).map((one) => one[2])).toEqual(['too_late', 'too_late']);
  });

  it('do not exist once it has started', () => {
    expect(plan(START)).toEqual([]);
  });

  it.each([
    ['session_cancelled', { cancelled: true, declined: true }],
    ['declined', { declined: true }],
    ['other_side_declined', { otherSideDeclined: true }],
  ])('are held back: %s', (reason, changes) => {
    expect(plan(START.minus({ days: 3 }), changes).map((one) => one[2])).toEqual([reason, reason]);
  });

  it('wait for the end of the night of the person, wherever they live', () => {
    const early = { startsAt: DateTime.fromISO('2026-03-10T13:30:00Z'), zone: 'America/New_York' };
    // New York has moved its clocks two days before: 13:30 UTC is 09:30, 06:30 the day before is night.
    const [day] = planReminderTimes(
      facts({ ...early, startsAt: early.startsAt.minus({ hours: 3 }) }),
      ['P1D'],
      NIGHT,
      START.minus({ days: 5 }),
    );
    expect(day?.dueAt.toISO({ suppressMilliseconds: true })).toBe('2026-03-09T11:00:00Z');
  });

  it('go out on the evening before when the night ends too late', () => {
    const [hour] = planReminderTimes(
      facts({ startsAt: DateTime.fromISO('2026-03-10T07:10:00Z') }),
      ['PT1H'],
      NIGHT,
      START.minus({ days: 3 }),
    );
    expect(hour?.dueAt.toISO({ suppressMilliseconds: true })).toBe('2026-03-09T20:55:00Z');
    expect(hour?.suppressed).toBeNull();
  });

  it('never fall into the night, nor after the start, nor before now', () => {
    const quiet = fc.constantFrom(
      NIGHT,
      { from: '12:00', until: '13:30' },
      { from: '00:00', until: '06:00' },
    );
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Pacific/Auckland',
    );
    fc.assert(
      fc.property(
        quiet,
        zone,
        fc.integer({ min: 1, max: 4000 }),
        fc.integer({ min: 0, max: 1440 }),
        (night, place, ahead, minute) => {
          const startsAt = DateTime.fromISO('2026-03-28T00:00:00Z', { zone: 'utc' }).plus({
            minutes: minute,
          });
          const now = startsAt.minus({ minutes: ahead });
          for (const one of planReminderTimes(
            facts({ startsAt, zone: place }),
            ['P1D', 'PT2H', 'PT1H'],
            night,
            now,
          )) {
            if (one.suppressed !== null) continue;
            expect(quietAround(one.dueAt, night, place)).toBeNull();
            expect(one.dueAt < startsAt && one.dueAt >= now).toBe(true);
          }
        },
      ),
    );
  });
});
