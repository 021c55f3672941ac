import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { parseRoster } from '../../../src/domain/parse-roster.ts';
import { buildScenario } from '../../../src/sandbox/scenario/build-scenario.ts';
import type { ExpectedSession, Scenario } from '../../../src/sandbox/scenario/scenario-types.ts';
import { type TrueOccurrence, truth, World } from '../../../src/sandbox/world/index.ts';
import { parsePolicy } from '../../../src/settings/policy-file.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

function build(seed: number): { world: World; scenario: Scenario } {
  const world = new World({ seed });
  world.clock.stop();
  return { world, scenario: buildScenario(world, { seed }) };
}

function play(world: World, scenario: Scenario): void {
  for (const step of scenario.steps) {
    world.clock.set(step.at);
    step.run(world);
  }
}

/** The sessions that truly took place or are booked, found in the world without looking at the script. */
function trueSessions(world: World, scenario: Scenario) {
  const day = Date.parse(scenario.startsAt);
  const occurrences = truth(world, { from: day - 36 * 86_400_000, until: day + 60 * 86_400_000 });
  return occurrences.filter(isTagged).flatMap((occurrence) => {
    const here = new Set(occurrence.people.map(({ person }) => person));
    return mentorshipsOf(world, scenario)
      .filter(({ members }) => sidesMeet(members.filter(({ person }) => here.has(person))))
      .map(({ name, members }) => ({ name, members, occurrence }));
  });
}

function isTagged(occurrence: TrueOccurrence): boolean {
  const tags = occurrence.tags.map((tag) => tag.toLowerCase());
  return ['#mentoring', '[mentoring]', 'category:mentoring'].some((tag) => tags.includes(tag));
}

function mentorshipsOf(world: World, scenario: Scenario) {
  const names = [...new Set(scenario.roster.map((row) => row.mentorship))];
  return names.map((name) => ({
    name,
    members: scenario.roster
      .filter((row) => row.mentorship === name)
      .map((row) => ({ person: world.person(row.email).id, role: row.role })),
  }));
}

function sidesMeet(members: readonly { role: string }[]): boolean {
  const roles = members.map(({ role }) => role);
  return (
    (roles.includes('mentor') && roles.includes('mentee')) ||
    roles.filter((role) => role === 'peer').length > 1
  );
}

const keyOf = (session: ExpectedSession): string =>
  `${session.mentorship} ${session.scheduledStart} ${session.scheduledEnd} ${session.status === 'cancelled'}`;

describe('scenario', () => {
  it('tells the same story for the same seed and another for another', () => {
    const [one, again, other] = [build(5).scenario, build(5).scenario, build(6).scenario];
    expect(again.rosterCsv).toBe(one.rosterCsv);
    expect(again.expected).toEqual(one.expected);
    expect(again.steps.map(({ at, title }) => [at, title])).toEqual(
      one.steps.map(({ at, title }) => [at, title]),
    );
    expect(other.rosterCsv).not.toBe(one.rosterCsv);
  });

  it.each(SEEDS)('expects exactly the sessions that are in the world (seed %i)', (seed) => {
    const { world, scenario } = build(seed);
    play(world, scenario);
    const found = trueSessions(world, scenario).map(
      ({ name, occurrence }) => `${name} ${occurrence.start} ${occurrence.end} ${occurrence.cancelled}`,
    );
    expect(found.sort()).toEqual(scenario.expected.sessions.map(keyOf).sort());
  });

  it.each(SEEDS)('expects outcomes that people who were there could explain (seed %i)', (seed) => {
    const { world, scenario } = build(seed);
    play(world, scenario);
    for (const { name, members, occurrence } of trueSessions(world, scenario)) {
      const expected = scenario.expected.sessions.find(
        (session) => session.mentorship === name && session.scheduledStart === occurrence.start,
      );
      const present = new Set(occurrence.present.map(({ person }) => person));
      const there = sidesMeet(members.filter(({ person }) => present.has(person)));
      // What took place and what can be proved differ in one direction only: nothing is claimed that was not so.
      if (expected?.outcome === 'held') expect(there).toBe(true);
      if (expected?.outcome === 'one_sided') expect([there, present.size]).toEqual([false, 1]);
      if (expected?.outcome === 'cancelled') expect(present.size).toBe(0);
      if (expected?.outcome === 'unknown') expect(there).toBe(true);
      if (expected?.outcome === null) expect(present.size).toBe(0);
      for (const [address, status] of Object.entries(expected?.attendance ?? {})) {
        const was = present.has(world.person(address).id);
        if (status !== 'unknown') expect([address, was]).toEqual([address, status === 'attended']);
      }
    }
  });

  it.each(SEEDS)('keeps to working days, crosses a clock change and settles in time (seed %i)', (seed) => {
    const { scenario } = build(seed);
    const { sessions } = scenario.expected;
    const zoneOf = (name: string): string =>
      scenario.roster.find((row) => row.mentorship === name)?.time_zone ?? 'UTC';
    for (const session of sessions) {
      expect(
        DateTime.fromISO(session.scheduledStart, { zone: zoneOf(session.mentorship) }).weekday,
      ).toBeLessThan(6);
    }
    const offsets = new Set(
      sessions
        .filter((session) => session.phase === 'history')
        .map((session) => DateTime.fromISO(session.scheduledStart, { zone: 'Europe/Berlin' }).offset),
    );
    expect(offsets.size).toBe(2);
    const day = 86_400_000;
    const [start, end] = [Date.parse(scenario.startsAt), Date.parse(scenario.endsAt)];
    for (const session of sessions) {
      const settled = Date.parse(session.scheduledEnd) + 2 * day;
      if (session.phase === 'history') expect(settled).toBeLessThan(start);
      if (session.phase === 'story') expect([settled > start, settled < end]).toEqual([true, true]);
      if (session.phase === 'ahead') expect(Date.parse(session.scheduledStart)).toBeGreaterThan(end + day);
    }
  });

  it.each(SEEDS)('counts the same for every seed (seed %i)', (seed) => {
    const { expected } = build(seed).scenario;
    expect(expected.sessions).toHaveLength(60);
    expect(expected.outcomes).toEqual({
      held: 31,
      too_short: 1,
      one_sided: 1,
      no_one: 0,
      cancelled: 1,
      unknown: 5,
    });
    expect(expected.storyOutcomes).toEqual({
      held: 4,
      too_short: 0,
      one_sided: 1,
      no_one: 0,
      cancelled: 1,
      unknown: 1,
    });
    expect(expected.mails).toEqual({ reminder: 22, cadence_alert: 2, did_you_meet: 2, nudge: 0 });
    expect(expected.calendars.active).toHaveLength(30);
  });

  it('stops at every reminder before the session it is for', () => {
    const { scenario } = build(2);
    const stops = scenario.steps.map((step) => Date.parse(step.at));
    for (const session of scenario.expected.sessions.filter(({ phase }) => phase === 'story')) {
      if (session.outcome === 'cancelled') continue;
      const start = Date.parse(session.scheduledStart);
      expect(stops.some((at) => at > start - 3_600_000 && at < start)).toBe(true);
    }
    expect([...stops].sort((one, other) => one - other)).toEqual(stops);
  });

  it('writes a roster and a configuration which the daemon reads', () => {
    const { scenario } = build(4);
    const read = parseRoster(scenario.rosterCsv, ['Pathways']);
    expect(read.ok ? read.roster.memberships.length : read.problems).toBe(scenario.roster.length);
    const policy = parsePolicy(scenario.config, 'scenario.yaml');
    expect(policy.ok ? policy.policy.programs.map(({ name }) => name) : policy.mistakes).toEqual([
      'Pathways',
    ]);
  });

  it('refuses a world in which somebody lives already', () => {
    const { world } = build(1);
    expect(() => buildScenario(world, { seed: 1 })).toThrow('empty world');
  });
});
