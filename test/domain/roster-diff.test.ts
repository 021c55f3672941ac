import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderRosterDiff } from '../../src/domain/render-roster-diff.ts';
import type { Roster, RosterPerson, WantedRoster } from '../../src/domain/roster.ts';
import { OPTIONAL_COLUMNS } from '../../src/domain/roster.ts';
import { diffRoster, isEmptyDiff, type RosterDiff } from '../../src/domain/roster-diff.ts';
import { runs } from '../support/properties.ts';

const ada: RosterPerson = {
  email: 'ada@example.org',
  name: 'Ada',
  timeZone: 'Europe/London',
  calendar: 'google',
  language: null,
  aliases: ['al@example.com'],
};
const bob: RosterPerson = { ...ada, email: 'bob@example.org', name: 'Bob', aliases: [] };
const m1 = { program: 'P', mentorship: 'M1', startsOn: '2026-01-05', endsOn: null };
const roster: Roster = {
  people: [ada, bob],
  mentorships: [m1],
  memberships: [
    { program: 'P', mentorship: 'M1', email: ada.email, role: 'mentor' },
    { program: 'P', mentorship: 'M1', email: bob.email, role: 'mentee' },
  ],
  enrolments: [],
  capacities: [],
  pauses: [],
};
const nothing: Roster = {
  people: [],
  mentorships: [],
  memberships: [],
  enrolments: [],
  capacities: [],
  pauses: [],
};

function wanted(part: Partial<WantedRoster> = {}): WantedRoster {
  return { ...roster, left: [], ...part };
}

/** What a store does with a diff, as briefly as it can be said. */
function apply(current: Roster, diff: RosterDiff): Roster {
  const renamed = new Map(diff.people.changed.map(({ before, after }) => [before.email, after.email]));
  const people = new Map(current.people.map((person) => [person.email, person]));
  for (const { before } of diff.people.changed) people.delete(before.email);
  for (const { after } of diff.people.changed) people.set(after.email, after);
  for (const person of diff.people.added) people.set(person.email, person);
  const mentorshipKey = (one: { program: string; mentorship: string }) => `${one.program} ${one.mentorship}`;
  const mentorships = new Map(current.mentorships.map((one) => [mentorshipKey(one), one]));
  for (const one of [...diff.mentorships.added, ...diff.mentorships.changed.map(({ after }) => after)]) {
    mentorships.set(mentorshipKey(one), one);
  }
  const key = (one: Roster['memberships'][number]) => `${mentorshipKey(one)} ${one.email}`;
  const memberships = new Map(
    current.memberships
      .map((one) => ({ ...one, email: renamed.get(one.email) ?? one.email }))
      .map((one) => [key(one), one]),
  );
  for (const one of diff.memberships.ended) memberships.delete(key(one));
  for (const one of [...diff.memberships.added, ...diff.memberships.changed.map(({ after }) => after)]) {
    memberships.set(key(one), one);
  }
  const known = <T extends { email: string }>(one: T): T => ({
    ...one,
    email: renamed.get(one.email) ?? one.email,
  });
  const enrolments = new Map(
    current.enrolments.map(known).map((one) => [`${one.program} ${one.email} ${one.role}`, one]),
  );
  for (const one of [...diff.enrolments.added, ...diff.enrolments.changed.map(({ after }) => after)]) {
    const enrolledOn = one.enrolledOn ?? '2026-03-01';
    enrolments.set(`${one.program} ${one.email} ${one.role}`, { ...one, enrolledOn });
  }
  const capacities = new Map(
    current.capacities.map(known).map((one) => [`${one.program} ${one.email}`, one]),
  );
  for (const { after } of diff.capacities.changed) {
    if (after.capacity === null) capacities.delete(`${after.program} ${after.email}`);
    else capacities.set(`${after.program} ${after.email}`, after);
  }
  const before = new Set(diff.pauses.changed.map((change) => change.before));
  return {
    people: [...people.values()],
    mentorships: [...mentorships.values()],
    memberships: [...memberships.values()],
    enrolments: [...enrolments.values()],
    capacities: [...capacities.values()],
    pauses: [
      ...current.pauses.filter((one) => !before.has(one)),
      ...diff.pauses.changed.map(({ after }) => after),
      ...diff.pauses.added,
    ],
  };
}

describe('what an import would do', () => {
  it('adds everything to an empty store', () => {
    expect(renderRosterDiff(diffRoster(nothing, wanted()))).toEqual([
      '+ person ada@example.org (Ada, calendar google)',
      '+ person bob@example.org (Bob, calendar google)',
      '+ alias al@example.com of ada@example.org',
      '+ mentorship P / M1: 2026-01-05 to open',
      '+ member ada@example.org of P / M1 as mentor',
      '+ member bob@example.org of P / M1 as mentee',
    ]);
  });

  it('has nothing to change the second time', () => {
    expect(renderRosterDiff(diffRoster(roster, wanted()))).toEqual(['Nothing to change.']);
  });

  it('leaves alone what the file does not name, and says so', () => {
    const other = { ...m1, mentorship: 'M2' };
    const current = {
      ...roster,
      mentorships: [m1, other],
      people: [ada, bob, { ...bob, email: 'eve@example.org' }],
    };
    const diff = diffRoster(current, wanted());
    expect(isEmptyDiff(diff)).toBe(true);
    expect(diff.untouched).toEqual({ people: ['eve@example.org'], mentorships: [other] });
    expect(renderRosterDiff(diff).at(-1)).toBe(
      '= 1 mentorship and 1 person not named by the file, left as stored; to end a mentorship give its ends_on',
    );
  });

  it('ends the membership of someone no longer listed in a mentorship that is', () => {
    const eve = { ...bob, email: 'eve@example.org', name: 'Eve' };
    const memberships = [
      roster.memberships[0],
      { ...roster.memberships[1], email: eve.email },
    ] as Roster['memberships'];
    const diff = diffRoster(roster, wanted({ people: [ada, eve], memberships }));
    expect(diff.memberships.ended).toEqual([roster.memberships[1]]);
    expect(renderRosterDiff(diff)).toContain('- member bob@example.org of P / M1 (was mentee)');
  });

  it('tells changes of a person, a mentorship, a role and aliases', () => {
    const diff = diffRoster(
      roster,
      wanted({
        people: [
          { ...ada, timeZone: null, aliases: ['new@example.com'] },
          { ...bob, calendar: 'microsoft' },
        ],
        mentorships: [{ ...m1, endsOn: '2026-06-30' }],
        memberships: roster.memberships.map((one) => ({ ...one, role: 'peer' as const })),
      }),
    );
    expect(renderRosterDiff(diff)).toEqual([
      "~ person ada@example.org: time zone Europe/London -> the program's",
      '~ person bob@example.org: calendar google -> microsoft',
      '+ alias new@example.com of ada@example.org',
      '- alias al@example.com of ada@example.org',
      '~ mentorship P / M1: 2026-01-05 to open -> 2026-01-05 to 2026-06-30',
      '~ member ada@example.org of P / M1: mentor -> peer',
      '~ member bob@example.org of P / M1: mentee -> peer',
    ]);
  });

  it('keeps what is stored in columns that the file left out', () => {
    const bare = roster.people.map((person) => ({ ...person, timeZone: null, language: null, aliases: [] }));
    const stored = { ...roster, mentorships: [{ ...m1, endsOn: '2026-06-30' }] };
    const diff = diffRoster(stored, wanted({ people: bare, left: [...OPTIONAL_COLUMNS] }));
    expect(isEmptyDiff(diff)).toBe(true);
  });

  it('tells who waits, what mentors have room for, and what pauses', () => {
    const waits = { program: 'P', email: bob.email, role: 'mentee' as const };
    const room = { program: 'P', email: ada.email };
    const paused = { program: 'P', mentorship: 'M1' };
    const stored: Roster = {
      ...roster,
      enrolments: [{ ...waits, enrolledOn: '2026-01-05', endsOn: null }],
      capacities: [{ ...room, capacity: 2 }],
      pauses: [{ ...paused, from: '2026-03-01', until: '2026-03-31' }],
    };
    const file = wanted({
      enrolments: [
        { ...waits, enrolledOn: null, endsOn: '2026-06-30' },
        { ...waits, email: ada.email, role: 'mentor', enrolledOn: null, endsOn: null },
      ],
      capacities: [{ ...room, capacity: null }],
      pauses: [{ ...paused, from: '2026-03-10', until: '2026-04-15' }],
    });
    expect(renderRosterDiff(diffRoster(stored, file))).toEqual([
      '+ enrolled ada@example.org in P as mentor: from today to open',
      '~ enrolled bob@example.org in P as mentee: from 2026-01-05 to open -> from 2026-01-05 to 2026-06-30',
      '~ capacity of ada@example.org in P: 2 -> not said',
      '~ pause of P / M1: 2026-03-01 to 2026-03-31 -> 2026-03-10 to 2026-04-15',
    ]);
    const later = diffRoster(stored, {
      ...file,
      pauses: [{ ...paused, from: '2026-07-01', until: '2026-07-31' }],
    });
    expect(renderRosterDiff(later)).toContain('+ pause of P / M1: 2026-07-01 to 2026-07-31');
    const early = { ...waits, enrolledOn: null, endsOn: '2025-12-31' };
    expect(diffRoster(stored, { ...file, enrolments: [early] }).conflicts).toEqual([
      'bob@example.org would leave P on 2025-12-31, before 2026-01-05, the day they joined',
    ]);
  });

  it('knows a person again who has a new address and keeps the old one as an alias', () => {
    const after = { ...bob, email: 'robert@example.org', aliases: ['bob@example.org'] };
    const memberships = roster.memberships.map((one) =>
      one.email === bob.email ? { ...one, email: after.email } : one,
    );
    const diff = diffRoster(roster, wanted({ people: [ada, after], memberships }));
    expect(diff.people).toEqual({ added: [], changed: [{ before: bob, after }] });
    expect(diff.memberships).toEqual({ added: [], changed: [], ended: [] });
    expect(renderRosterDiff(diff)[0]).toBe(
      '~ person bob@example.org: address bob@example.org -> robert@example.org',
    );
  });

  it('knows a person again whose new address was an alias', () => {
    const after = { ...ada, email: 'al@example.com', aliases: [] };
    const memberships = roster.memberships.map((one) =>
      one.email === ada.email ? { ...one, email: after.email } : one,
    );
    const diff = diffRoster(roster, wanted({ people: [after, bob], memberships, left: ['aliases'] }));
    expect(diff.people.changed).toEqual([{ before: ada, after: { ...after, aliases: ['ada@example.org'] } }]);
    expect(diff.conflicts).toEqual([]);
  });

  it('lets an alias pass to a new person when the file no longer gives it to its old owner', () => {
    const al: RosterPerson = { ...bob, email: 'al@example.com', name: 'Al' };
    const diff = diffRoster(roster, wanted({ people: [{ ...ada, aliases: [] }, al, bob] }));
    expect(diff.conflicts).toEqual([]);
    expect(diff.people.added).toEqual([al]);
    expect(diff.aliases.removed).toEqual([{ email: 'ada@example.org', alias: 'al@example.com' }]);
  });

  it.each([
    [
      'two stored people made one',
      wanted({ people: [{ ...ada, aliases: ['bob@example.org'] }] }),
      'bob@example.org of ada@example.org is known as an address of bob@example.org, whom the file does not name',
    ],
    [
      'one stored person made two',
      wanted({
        people: [
          { ...ada, email: 'x@example.org', aliases: ['ada@example.org'] },
          { ...ada, email: 'al@example.com', aliases: [] },
          bob,
        ],
      }),
      'al@example.com and x@example.org are both known as one person, ada@example.org',
    ],
    [
      'an address that a kept alias already takes',
      wanted({ people: [ada, bob, { ...bob, email: 'al@example.com', name: 'Al' }], left: ['aliases'] }),
      'al@example.com would belong both to ada@example.org and to al@example.com',
    ],
  ])('refuses %s', (_, file, conflict) => {
    expect(diffRoster(roster, file).conflicts.map(sortedNames)).toContain(sortedNames(conflict));
  });
});

/** "a and b are both" is the same complaint as "b and a are both". */
function sortedNames(sentence: string): string {
  return sentence.split(' ').toSorted().join(' ');
}

const address = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g').map((name) => `${name}@example.org`);
const person = (email: string, aliases: string[]) =>
  fc.record({
    email: fc.constant(email),
    name: fc.constantFrom('Ada', 'Bob'),
    timeZone: fc.constantFrom(null, 'Europe/London'),
    calendar: fc.constantFrom('google', 'microsoft', 'none'),
    language: fc.constantFrom(null, 'en'),
    aliases: fc.constant(aliases.toSorted()),
  });
/** Distinct addresses dealt out to people: the head of each hand is the address, the rest are aliases. */
const people = fc
  .uniqueArray(address, { minLength: 2, maxLength: 7 })
  .chain((all) =>
    fc
      .array(fc.nat(2), { minLength: all.length, maxLength: all.length })
      .chain((hands) =>
        fc.tuple(
          ...[0, 1, 2]
            .map((hand) => all.filter((_, i) => hands[i] === hand))
            .flatMap(([email, ...aliases]) => (email === undefined ? [] : [person(email, aliases)])),
        ),
      ),
  );
const anyRoster: fc.Arbitrary<WantedRoster> = people.chain((all) =>
  fc
    .record({
      people: fc.constant(all as RosterPerson[]),
      mentorships: fc.uniqueArray(
        fc.record({
          program: fc.constant('P'),
          mentorship: fc.constantFrom('M1', 'M2', 'M3'),
          startsOn: fc.constantFrom('2026-01-05', '2026-02-01'),
          endsOn: fc.constantFrom(null, '2026-06-30'),
        }),
        { selector: (one) => one.mentorship },
      ),
      memberships: fc.constant([]),
      left: fc.subarray([...OPTIONAL_COLUMNS]),
      enrolments: fc.uniqueArray(
        fc.record({
          program: fc.constant('P'),
          email: fc.constantFrom(...all.map(({ email }) => email)),
          role: fc.constantFrom('mentor' as const, 'mentee' as const),
          enrolledOn: fc.constantFrom('2026-01-05', '2026-02-01'),
          endsOn: fc.constantFrom(null, '2026-06-30'),
        }),
        { selector: (one) => `${one.email} ${one.role}` },
      ),
      capacities: fc.uniqueArray(
        fc.record({
          program: fc.constant('P'),
          email: fc.constantFrom(...all.map(({ email }) => email)),
          capacity: fc.constantFrom(0, 1, 5),
        }),
        { selector: (one) => one.email },
      ),
      pauses: fc.uniqueArray(
        fc.record({
          program: fc.constant('P'),
          mentorship: fc.constantFrom('M1', 'M2', 'M3'),
          from: fc.constantFrom('2026-03-01', '2026-03-20'),
          until: fc.constantFrom('2026-03-25', '2026-04-20'),
        }),
        { selector: (one) => one.mentorship },
      ),
    })
    .chain((base) =>
      fc
        .subarray(base.mentorships.flatMap((one) => all.map(({ email }) => ({ ...one, email }))))
        .chain((members) =>
          fc
            .array(fc.constantFrom('mentor', 'mentee', 'peer'), {
              minLength: members.length,
              maxLength: members.length,
            })
            .map(
              (roles): WantedRoster => ({
                ...base,
                memberships: members.map(({ program, mentorship, email }, i) => ({
                  program,
                  mentorship,
                  email,
                  role: roles[i] ?? 'peer',
                })),
              }),
            ),
        ),
    ),
);

describe('the algebra of an import', () => {
  it('is idempotent: after it was applied, the same file changes nothing', () => {
    let applied = 0;
    fc.assert(
      fc.property(anyRoster, anyRoster, (current, file) => {
        const diff = diffRoster(current, file);
        if (diff.conflicts.length > 0) return;
        applied++;
        const again = diffRoster(apply(current, diff), file);
        expect(again.conflicts).toEqual([]);
        expect(renderRosterDiff(again).filter((line) => !line.startsWith('='))).toEqual([
          'Nothing to change.',
        ]);
      }),
      { numRuns: runs(500) },
    );
    // A property that meets only refusals proves nothing.
    expect(applied).toBeGreaterThan(50);
  });

  it('never leaves one address with two people', () => {
    fc.assert(
      fc.property(anyRoster, anyRoster, (current, file) => {
        const diff = diffRoster(current, file);
        if (diff.conflicts.length > 0) return;
        const addresses = apply(current, diff).people.flatMap(({ email, aliases }) => [email, ...aliases]);
        expect(addresses).toHaveLength(new Set(addresses).size);
      }),
      { numRuns: runs(500) },
    );
  });
});
