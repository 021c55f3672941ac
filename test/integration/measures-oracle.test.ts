import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../support/properties.ts';
import { type Case, cases, dayOf, PEOPLE, write } from './measures-case.ts';
import {
  activity,
  activityMonths,
  benchmarks,
  compliance,
  endOf,
  engagement,
  enrolments,
  load,
  percentile,
  progress,
  rate,
  share,
  verifiedShare,
} from './measures-truth.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let client: pg.Client;
beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-01-01T12:00' });
  client = new pg.Client({ connectionString: world.url });
  await client.connect();
  // Compiling a plan for a handful of mentorships takes longer than running it.
  await client.query('set jit = off');
});
afterAll(async () => {
  await client.end();
  await world.close();
});

type Row = Readonly<Record<string, unknown>>;

/** Numbers of any type as numbers, days as texts: what the driver makes of them is not what is tested. */
async function read(text: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(text);
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [
        key,
        typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value,
      ]),
    ),
  );
}

/** Runs the check over random programs, each in a transaction that leaves nothing behind. */
async function over(usualRuns: number, check: (given: Case) => Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      await client.query('begin');
      try {
        await write(client, world.ids.program, given);
        await check(given);
      } finally {
        await client.query('rollback');
      }
    }),
    { numRuns: runs(usualRuns) },
  );
}

const rateColumns = (name: string) => `${name}_verified, ${name}_lower, ${name}_upper`;
const rateOf = (row: Row | undefined, name: string, coverage = 'coverage') => [
  row?.[`${name}_verified`],
  row?.[`${name}_lower`],
  row?.[`${name}_upper`],
  row?.[coverage],
];

describe('the measures of mentorships', () => {
  it('compliance with the cadence is what a walk over the days finds, by the rule in force then', async () => {
    await over(80, async (given) => {
      const rows = await read(
        `select mentorship, form, current, expected, kept, missed, unverified, free_periods, free_days, coverage,
                ${rateColumns('cadence_compliance')} from mentoring.cadence_compliance`,
      );
      const forms = new Set(given.versions.map(({ cadence }) => cadence.form));
      expect(rows).toHaveLength(given.pairs.length * forms.size);
      const sum = { expected: 0, kept: 0, unverified: 0 };
      const current = given.versions.at(-1)?.cadence.form;
      for (const form of forms) {
        for (const [index, pair] of given.pairs.entries()) {
          const row = rows.find((one) => one.mentorship === `m${index}` && one.form === form);
          const truth = compliance(given, pair, form);
          expect(row, `m${index} ${form}`).toMatchObject({
            current: form === current,
            expected: truth.expected,
            kept: truth.kept,
            missed: truth.missed,
            unverified: truth.unverified,
            free_periods: form === 'calendar' ? truth.free : null,
            free_days: truth.freeDays,
          });
          expect(rateOf(row, 'cadence_compliance')).toEqual(
            rate(truth.kept, truth.unverified, truth.expected),
          );
          if (form !== current) continue;
          sum.expected += truth.expected;
          sum.kept += truth.kept;
          sum.unverified += truth.unverified;
        }
      }
      const [program] = await read(`select * from mentoring.program_compliance where current`);
      expect(program).toMatchObject(sum);
      expect(rateOf(program, 'cadence_compliance')).toEqual(rate(sum.kept, sum.unverified, sum.expected));
    });
  });

  it('tells who is alive now', async () => {
    await over(40, async (given) => {
      const rows = await read('select * from mentoring.mentorship_activity');
      const truth = given.pairs.map((pair) => activity(given, pair));
      for (const [index, one] of truth.entries()) {
        expect(
          rows.find((row) => row.mentorship === `m${index}`),
          `m${index}`,
        ).toMatchObject({
          in_date: one.inDate,
          paused: one.paused,
          past_grace: one.pastGrace,
          active: one.active,
          active_or_booked: one.activeOrBooked,
          ended: one.ended,
          ended_early: one.early,
          paused_days: one.pausedDays,
        });
      }
      const [program] = await read('select * from mentoring.program_activity');
      const counted = truth.filter((one) => one.inDate && !one.paused && one.pastGrace);
      const count = (read: (one: (typeof truth)[number]) => boolean | null, is: boolean | null) =>
        counted.filter((one) => read(one) === is).length;
      expect(program).toMatchObject({
        in_date: truth.filter((one) => one.inDate).length,
        paused: truth.filter((one) => one.inDate && one.paused).length,
        in_grace: truth.filter((one) => one.inDate && !one.paused && !one.pastGrace).length,
        counted: counted.length,
        active_pairs: truth.filter((one) => one.active).length,
        ended: truth.filter((one) => one.ended).length,
      });
      expect(rateOf(program, 'active_pair_rate')).toEqual(
        rate(
          count((one) => one.active, true),
          count((one) => one.active, null),
          counted.length,
        ),
      );
      expect(rateOf(program, 'active_or_booked_rate', 'active_or_booked_coverage')).toEqual(
        rate(
          count((one) => one.activeOrBooked, true),
          count((one) => one.activeOrBooked, null),
          counted.length,
        ),
      );
      const lengths = given.pairs.filter((pair) => endOf(pair) < given.today);
      expect(program?.match_length_months_median).toBe(
        percentile(
          lengths.map((pair) => Number((((pair.length ?? 0) + 1) / 30.4375).toFixed(1))),
          0.5,
        ),
      );
    });
  });

  it('tells who was ever alive in a month, and who ended in it', async () => {
    await over(40, async (given) => {
      const rows = await read(`select month::text as begin, * from mentoring.program_activity_month`);
      const truth = activityMonths(given);
      expect(new Set(rows.map((row) => row.begin))).toEqual(new Set(truth.keys()));
      expect(rows).toHaveLength(truth.size);
      for (const row of rows) {
        const month = truth.get(String(row.begin));
        if (month === undefined) continue;
        const { inDate, paused, ever, unverified, closed, planned, early } = month;
        expect(row).toMatchObject({
          in_date: inDate,
          paused,
          counted: inDate - paused,
          ever_active: ever,
          unverified,
          closed,
          closed_planned: planned,
          closed_early: early,
        });
        expect(rateOf(row, 'ever_active_rate')).toEqual(rate(ever, unverified, inDate - paused));
        expect(row).toMatchObject({
          closure_rate_verified: verifiedShare(closed, inDate, inDate),
          closure_rate_lower: share(closed, inDate),
          early_closure_rate_verified: verifiedShare(early, planned, closed),
          early_closure_rate_lower: share(early, closed),
          early_closure_rate_upper: share(early + closed - planned, closed),
          early_closure_coverage: share(planned, closed),
        });
      }
    });
  });

  it('tells first sessions and gaps, those still waiting apart', async () => {
    await over(40, async (given) => {
      const [row] = await read('select * from mentoring.program_progress');
      const { begun, firsts, waits, gaps } = progress(given);
      expect(row).toMatchObject({
        mentorships: begun,
        have_met: firsts.length,
        not_met: waits.length,
        days_to_first_median: percentile(firsts, 0.5),
        days_to_first_p90: percentile(firsts, 0.9),
        days_waiting_median: percentile(waits, 0.5),
        days_waiting_longest: waits.length === 0 ? null : Math.max(...waits),
        gaps: gaps.length,
        gap_days_median: percentile(gaps, 0.5),
        gap_days_p90: percentile(gaps, 0.9),
      });
    });
  });

  it('measures benchmarks by the rules of their due day, and leaves out what is in time', async () => {
    await over(80, async (given) => {
      const rows = await read(
        `select *, ((due_at at time zone 'Europe/Berlin')::date - 1)::text as due from mentoring.benchmark`,
      );
      const truth = given.pairs.flatMap((pair, index) =>
        benchmarks(given, pair).map((one) => ({ ...one, mentorship: `m${index}` })),
      );
      const key = (one: { mentorship?: unknown; name?: unknown }) =>
        `${String(one.mentorship)} ${String(one.name)}`;
      expect(
        rows
          .map(({ mentorship, benchmark: name, due, state, counted }) => ({
            name,
            due,
            state,
            counted,
            mentorship,
          }))
          .toSorted((one, other) => (key(one) < key(other) ? -1 : 1)),
      ).toEqual(truth.toSorted((one, other) => (key(one) < key(other) ? -1 : 1)));
      for (const row of rows) {
        expect(row.attained).toBe(row.state === 'attained' ? true : row.state === 'missed' ? false : null);
      }
      for (const row of await read('select * from mentoring.benchmark_attainment')) {
        const own = rows.filter(
          (one) =>
            one.benchmark === row.benchmark && one.within === row.within && one.sessions === row.sessions,
        );
        const counted = own.filter((one) => one.counted);
        const of = (state: string) => counted.filter((one) => one.state === state).length;
        expect(row).toMatchObject({
          mentorships: own.length,
          counted: counted.length,
          attained: of('attained'),
          missed: of('missed'),
          unverified: of('unverified'),
        });
        expect(Number(row.counted) + Number(row.open) + Number(row.attained_early) + Number(row.ended)).toBe(
          own.length,
        );
        expect(rateOf(row, 'benchmark_attainment')).toEqual(
          rate(of('attained'), of('unverified'), counted.length),
        );
      }
    });
  });
});

describe('the measures of people', () => {
  it('tell who is enrolled, who is matched and who waits', async () => {
    await over(40, async (given) => {
      const rows = await read(
        `select *, right(split_part(email, '@', 1), 1) as person from mentoring.enrolment`,
      );
      const truth = enrolments(given);
      expect(rows).toHaveLength(truth.length);
      for (const one of truth) {
        expect(rows.find((row) => row.person === one.person && row.role === one.role)).toMatchObject({
          enrolled: one.enrolled,
          matched: one.matched,
          days_waiting: one.waiting,
        });
      }
      for (const row of await read('select * from mentoring.match_rate')) {
        const own = truth.filter((one) => one.enrolled && (row.role === null || one.role === row.role));
        const people = [...Map.groupBy(own, (one) => one.person).values()];
        const matched = people.filter((each) => each.some((one) => one.matched));
        expect(row).toMatchObject({
          enrolled: people.length,
          matched: matched.length,
          waiting: people.length - matched.length,
          match_rate_verified: verifiedShare(matched.length, people.length, people.length),
          match_rate_lower: share(matched.length, people.length),
          match_rate_upper: share(matched.length, people.length),
        });
      }
    });
  });

  it('tell who met at all in a time', async () => {
    await over(40, async (given) => {
      const rows = await read('select * from mentoring.engagement');
      for (const role of ['mentor', 'mentee', null] as const) {
        for (const window of [30, 60, 90, 180, 365]) {
          const truth = engagement(given, role, window);
          const row = rows.find((one) => one.role === role && one.days === window);
          if (truth.participants + truth.paused === 0) expect(row).toBeUndefined();
          else {
            expect(row, `${role ?? 'everybody'} in ${window} days`).toMatchObject(truth);
            expect(rateOf(row, 'engagement_rate')).toEqual(
              rate(truth.engaged, truth.unverified, truth.participants),
            );
          }
        }
      }
    });
  });

  it('tell what mentors carry against what they have room for', async () => {
    await over(40, async (given) => {
      const rows = await read(
        `select *, month::text as begin, right(split_part(email, '@', 1), 1) as person from mentoring.mentor_load`,
      );
      for (let mentor = 0; mentor < PEOPLE; mentor++) {
        const own = rows.filter((row) => row.person === mentor);
        const months = new Set(
          given.pairs
            .filter((pair) => pair.mentor === mentor)
            .flatMap((pair) =>
              Array.from(
                { length: Math.max(Math.min(endOf(pair), given.today) - pair.starts + 1, 0) },
                (_, i) =>
                  dayOf(pair.starts + i)
                    .startOf('month')
                    .toISODate(),
              ),
            ),
        );
        expect(new Set(own.map((row) => row.begin))).toEqual(months);
        expect(own).toHaveLength(months.size);
        for (const row of own) {
          const truth = load(given, mentor, String(row.begin));
          const capacity = mentor === 0 ? given.capacity : null;
          expect(row).toMatchObject({
            mentorships: truth.mentorships,
            mentorships_at_end: truth.atEnd,
            paused: truth.paused,
            held: truth.held,
            unknown: truth.unknown,
            verified_hours: Number((truth.minutes / 60 + 1e-9).toFixed(2)),
            capacity,
            free_places: capacity === null ? null : capacity - truth.atEnd,
            over_capacity: capacity === null ? null : truth.atEnd > capacity,
            load: capacity === null ? null : share(truth.atEnd, capacity),
          });
        }
      }
    });
  });
});
