import { describe, expect, it } from 'vitest';
import { parseRoster, renderRosterProblem } from '../../src/domain/parse-roster.ts';
import { ROSTER_COLUMNS } from '../../src/domain/roster.ts';

/** Without the columns that came later: a file of before is still a file. */
const HEADER = ROSTER_COLUMNS.slice(0, 11).join(',');
const NEW_HEADER = ROSTER_COLUMNS.join(',');
const PROGRAMS = ['Engineering', 'Leadership'];

function parsed(text: string) {
  const result = parseRoster(text, PROGRAMS);
  if (!result.ok) throw new Error(result.problems.map(renderRosterProblem).join('\n'));
  return result.roster;
}

function problems(text: string): string[] {
  const result = parseRoster(text, PROGRAMS);
  return result.ok ? [] : result.problems.map(renderRosterProblem);
}

function csv(...rows: string[]): string {
  return [HEADER, ...rows, ''].join('\n');
}

const MENTOR = 'Engineering,M1,mentor,ada@example.org,Ada Lovelace,Europe/London,google,2026-01-05,,,';
const MENTEE = 'Engineering,M1,mentee,grace@example.org,Grace Hopper,,microsoft,,,,';

describe('a roster that is right', () => {
  it('gives people, mentorships and members, normalised and sorted', () => {
    const roster = parsed(
      csv(
        'Engineering,M1,Mentor,  ADA@Example.org ,Ada  Lovelace,Europe/London,Google,2026-01-05,2026-12-31,al@example.com; ada@example.org ;ADA.L@example.org,en-gb',
        MENTEE,
      ),
    );
    expect(roster).toEqual({
      people: [
        {
          email: 'ada@example.org',
          name: 'Ada Lovelace',
          timeZone: 'Europe/London',
          calendar: 'google',
          language: 'en-GB',
          aliases: ['ada.l@example.org', 'al@example.com'],
        },
        {
          email: 'grace@example.org',
          name: 'Grace Hopper',
          timeZone: null,
          calendar: 'microsoft',
          language: null,
          aliases: [],
        },
      ],
      mentorships: [
        { program: 'Engineering', mentorship: 'M1', startsOn: '2026-01-05', endsOn: '2026-12-31' },
      ],
      memberships: [
        { program: 'Engineering', mentorship: 'M1', email: 'ada@example.org', role: 'mentor' },
        { program: 'Engineering', mentorship: 'M1', email: 'grace@example.org', role: 'mentee' },
      ],
      enrolments: [],
      capacities: [{ program: 'Engineering', email: 'ada@example.org', capacity: null }],
      pauses: [],
      left: ['capacity', 'paused_from', 'paused_until'],
    });
  });

  it('knows who waits for a mentorship, what mentors have room for, and what pauses', () => {
    const roster = parsed(
      [
        NEW_HEADER,
        'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,3,2026-07-01,2026-08-31',
        'Engineering,M1,mentee,grace@example.org,Grace,,google,,,,,,,',
        'Engineering,,mentor,ada@example.org,,,,2025-09-01,,,,,,',
        'Engineering,,mentee,lin@example.org,Lin,,none,,,,,,,',
        'Leadership,,mentee,lin@example.org,,,,2026-02-01,2026-12-31,,,,,',
      ].join('\n'),
    );
    expect(roster.mentorships).toHaveLength(1);
    expect(roster.enrolments).toEqual([
      {
        program: 'Engineering',
        email: 'ada@example.org',
        role: 'mentor',
        enrolledOn: '2025-09-01',
        endsOn: null,
      },
      { program: 'Engineering', email: 'lin@example.org', role: 'mentee', enrolledOn: null, endsOn: null },
      {
        program: 'Leadership',
        email: 'lin@example.org',
        role: 'mentee',
        enrolledOn: '2026-02-01',
        endsOn: '2026-12-31',
      },
    ]);
    expect(roster.capacities).toEqual([{ program: 'Engineering', email: 'ada@example.org', capacity: 3 }]);
    expect(roster.pauses).toEqual([
      { program: 'Engineering', mentorship: 'M1', from: '2026-07-01', until: '2026-08-31' },
    ]);
    expect(roster.left).toEqual([]);
  });

  it('may name a person once in full and briefly in further rows', () => {
    const roster = parsed(
      csv(
        MENTOR,
        MENTEE,
        'Leadership,L1,peer,ada@example.org,,,,2026-02-01,,,',
        'Leadership,L1,peer,linus@example.org,Linus,,none,,,,',
      ),
    );
    expect(roster.people.map(({ email, name }) => [email, name])).toEqual([
      ['ada@example.org', 'Ada Lovelace'],
      ['grace@example.org', 'Grace Hopper'],
      ['linus@example.org', 'Linus'],
    ]);
    expect(roster.mentorships).toHaveLength(2);
  });

  it('knows a member who is entered under an alias', () => {
    const roster = parsed(
      csv(
        MENTOR.replace(',,,', ',,al@example.com,'),
        MENTEE,
        'Engineering,M2,mentor,ada@example.org,,,,2026-01-05,,,',
        'Engineering,M2,mentee,alan@example.org,Alan,,none,,,,',
      ),
    );
    expect(roster.people.find(({ name }) => name === 'Ada Lovelace')?.aliases).toEqual(['al@example.com']);
  });

  it.each([
    ['a byte order mark', `\uFEFF${csv(MENTOR, MENTEE)}`],
    ['carriage returns', csv(MENTOR, MENTEE).replaceAll('\n', '\r\n')],
    ['empty lines and empty rows', csv('', MENTOR, ',,,,,,,,,,', MENTEE, '')],
    ['semicolons', csv(MENTOR, MENTEE).replaceAll(',', ';')],
    ['tabs', csv(MENTOR, MENTEE).replaceAll(',', '\t')],
    [
      'spoken column names',
      csv(MENTOR, MENTEE).replace(
        HEADER,
        HEADER.replace('email', 'E-Mail').replace('time_zone', 'Time Zone'),
      ),
    ],
    ['decomposed letters', csv(MENTOR, MENTEE).normalize('NFD')],
  ])('is the same with %s', (_, text) => {
    expect(parsed(text)).toEqual(parsed(csv(MENTOR, MENTEE)));
  });

  it('is the same as JSON, bare or under "rows"', () => {
    const names = HEADER.split(',');
    const rows = [MENTOR, MENTEE].map((row) =>
      Object.fromEntries(row.split(',').map((cell, i) => [names[i] ?? '', cell])),
    );
    expect(parsed(JSON.stringify(rows))).toEqual(parsed(csv(MENTOR, MENTEE)));
    expect(parsed(JSON.stringify({ rows }))).toEqual(parsed(csv(MENTOR, MENTEE)));
  });

  it('knows both spellings of an account of Google’s consumer mail, and takes them for one', () => {
    const roster = parsed(
      csv(
        MENTOR.replace(/,,$/, ',ada.l@googlemail.com,'),
        MENTEE.replace('grace@example.org', 'Grace@gmail.com'),
        'Engineering,M2,mentor,ada@example.org,,,,2026-01-05,,,',
        'Engineering,M2,mentee,grace@googlemail.com,,,,,,grace@gmail.com,',
      ),
    );
    expect(roster.people.map(({ email, aliases }) => [email, aliases])).toEqual([
      ['ada@example.org', ['ada.l@gmail.com', 'ada.l@googlemail.com']],
      ['grace@gmail.com', ['grace@googlemail.com']],
    ]);
    expect(roster.memberships.filter(({ role }) => role === 'mentee').map(({ email }) => email)).toEqual([
      'grace@gmail.com',
      'grace@gmail.com',
    ]);
    expect(
      problems(
        csv(MENTOR.replace(/,,$/, ',grace@gmail.com,'), MENTEE.replace('example.org', 'googlemail.com')),
      ),
    ).not.toEqual([]);
  });

  it('takes JSON aliases as a list and null as nothing', () => {
    const roster = parsed(
      JSON.stringify([
        {
          program: 'Engineering',
          mentorship: 7,
          role: 'peer',
          email: 'a@example.org',
          name: 'A',
          calendar: 'google',
          starts_on: '2026-01-05',
          ends_on: null,
          aliases: ['b@example.org', 'c@example.org'],
        },
        {
          program: 'Engineering',
          mentorship: 7,
          role: 'peer',
          email: 'd@example.org',
          name: 'D',
          calendar: 'google',
          starts_on: null,
        },
      ]),
    );
    expect(roster.people[0]?.aliases).toEqual(['b@example.org', 'c@example.org']);
    expect(roster.mentorships).toEqual([
      { program: 'Engineering', mentorship: '7', startsOn: '2026-01-05', endsOn: null },
    ]);
    expect(roster.left).toEqual(['time_zone', 'language', 'capacity', 'paused_from', 'paused_until']);
  });

  it('keeps a quoted line break from tearing a row, and counts its lines', () => {
    const broken = MENTOR.replace('Ada Lovelace', '"Ada\nLovelace"');
    expect(parsed(csv(broken, MENTEE)).people[0]?.name).toBe('Ada Lovelace');
    expect(problems(csv(broken, MENTEE, 'Nowhere,M3,mentor,x@example.org,X,,none,2026-01-01,,,'))).toEqual([
      'line 5, program: "Nowhere"; expected one of Engineering, Leadership',
    ]);
  });
});

describe('a roster with mistakes', () => {
  it('tells all of them at once, each with its line, column, value and what was expected', () => {
    const text = csv(
      'Enginering,M1,mentro,ada@example.org,Ada,Europe/Belin,google,2026-02-30,,,',
      'Engineering,M2,mentor,Bob <bob@example.org>,Bob,,gmail,2026-01-01,2025-01-01,not-an-address,xx_',
      'Engineering,M2,mentee,eve@example.org,Eve,,google,,,,',
    );
    expect(problems(text)).toEqual([
      'line 2, program: "Enginering"; expected one of Engineering, Leadership; did you mean Engineering?',
      'line 2, role: "mentro"; expected one of mentor, mentee, peer; did you mean mentor?',
      'line 2, time_zone: "Europe/Belin"; expected an IANA time zone; did you mean Europe/Berlin?',
      'line 2, starts_on: "2026-02-30"; expected a day that exists, such as 2026-03-31 (year-month-day)',
      'line 3, email: "Bob <bob@example.org>"; expected an address such as ada@example.org',
      'line 3, calendar: "gmail"; expected one of google, microsoft, none',
      'line 3, language: "xx_"; expected a language tag such as en or pt-BR',
      'line 3, aliases: "not-an-address"; expected an address such as ada@example.org',
      'line 3, ends_on: "2025-01-01"; expected a day not before its start, 2026-01-01',
    ]);
  });

  it.each([
    [
      'another name',
      MENTOR.replace('M1', 'M9').replace('Ada Lovelace', 'Ada Byron'),
      'name: "Ada Byron"; expected Ada Lovelace as in line 2: both lines speak of ada@example.org',
    ],
    [
      'another zone',
      MENTOR.replace('M1', 'M9').replace('London', 'Paris'),
      'time_zone: "Europe/Paris"; expected Europe/London as in line 2: both lines speak of ada@example.org',
    ],
    [
      'another calendar',
      MENTOR.replace('M1', 'M9').replace('google', 'microsoft'),
      'calendar: "microsoft"; expected google as in line 2: both lines speak of ada@example.org',
    ],
  ])('refuses a person with %s in another row', (_, row, expected) => {
    const other = 'Engineering,M9,mentee,grace@example.org,,,,,,,';
    expect(problems(csv(MENTOR, MENTEE, row, other))).toEqual([`line 4, ${expected}`]);
  });

  it.each([
    [
      'a capacity that is no number',
      'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,many,,',
      'line 2, capacity: "many"; expected a whole number from 0 to 1000, in the row of a mentor: mentorships at a time',
    ],
    [
      'a pause without an end',
      'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,,2026-07-01,',
      'line 2, paused_until: nothing there; expected the last day of the pause of M1 as well',
    ],
    [
      'a pause that ends before it begins',
      'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,,2026-07-01,2026-06-01',
      'line 2, paused_until: "2026-06-01"; expected a day not before the first, 2026-07-01',
    ],
    [
      'a pause of somebody who waits',
      'Engineering,,mentor,bob@example.org,Bob,,google,2026-01-05,,,,,2026-07-01,2026-08-01',
      'line 2, paused_from: "2026-07-01"; expected nothing in a row without a mentorship: nobody owes a session there',
    ],
    [
      'a room of a mentee',
      'Engineering,,mentee,bob@example.org,Bob,,google,2026-01-05,,,,2,,',
      'line 2, capacity: "2"; expected a whole number from 0 to 1000, in the row of a mentor: mentorships at a time',
    ],
    [
      'a stay that ends before it begins',
      'Engineering,,mentee,bob@example.org,Bob,,google,2026-01-05,2025-01-05,,,,,',
      'line 2, ends_on: "2025-01-05"; expected a day not before the first, 2026-01-05',
    ],
  ])('refuses %s', (_, row, expected) => {
    const rest = [
      'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,,,',
      'Engineering,M1,mentee,grace@example.org,Grace,,google,,,,,,,',
    ];
    const rows = row.startsWith('Engineering,M1') ? rest.slice(1) : rest;
    expect(problems([NEW_HEADER, row, ...rows].join('\n'))).toEqual([expected]);
  });

  it('refuses rows of one mentor that disagree about their room', () => {
    const rows = [
      'Engineering,M1,mentor,ada@example.org,Ada,,google,2026-01-05,,,,3,,',
      'Engineering,M1,mentee,grace@example.org,Grace,,google,,,,,,,',
      'Engineering,,mentor,ada@example.org,,,,,,,,4,,',
    ];
    expect(problems([NEW_HEADER, ...rows].join('\n'))).toEqual([
      'line 4, capacity: "4"; expected 3 as in line 2: both lines speak of ada@example.org',
    ]);
  });

  it('refuses a mentorship whose rows disagree about its days', () => {
    expect(problems(csv(MENTOR, MENTEE.replace(',,,,', ',2026-01-06,,,')))).toEqual([
      'line 3, starts_on: "2026-01-06"; expected 2026-01-05 as in line 2: both lines speak of M1',
    ]);
  });

  it('refuses an alias of two people, and one that is the address of another', () => {
    const text = csv(
      MENTOR.replace(/,,$/, ',x@example.org;grace@example.org,'),
      MENTEE.replace(/,,$/, ',x@example.org,'),
    );
    expect(problems(text)).toContain(
      'line 2, aliases: "grace@example.org"; expected an address of ada@example.org alone; line 3 gives it to grace@example.org (a group\'s address: group:grace@example.org for both)',
    );
    expect(problems(text)).toContain(
      'line 3, aliases: "x@example.org"; expected an address of grace@example.org alone; line 2 gives it to ada@example.org (a group\'s address: group:x@example.org for both)',
    );
  });

  it('takes an address of a group for any number of people, but not one that is a person’s', () => {
    const with_ = (row: string, aliases: string) => row.replace(/,,$/, `,${aliases},`);
    const { people } = parsed(
      csv(
        with_(MENTOR, 'group:All@example.org'),
        with_(MENTEE, 'GROUP:all@example.org;group:m1@example.org'),
      ),
    );
    expect(people.map(({ aliases }) => aliases)).toEqual([
      ['group:all@example.org'],
      ['group:all@example.org', 'group:m1@example.org'],
    ]);
    expect(problems(csv(with_(MENTOR, 'group:grace@example.org'), MENTEE))).toEqual([
      `line 2, aliases: "group:grace@example.org"; expected a group's address; line 3 has it as one of grace@example.org alone`,
    ]);
    expect(problems(csv(with_(MENTOR, 'group:nobody'), MENTEE))).toEqual([
      'line 2, aliases: "nobody"; expected an address such as ada@example.org',
    ]);
  });

  it('refuses a mentorship of a person with themselves', () => {
    expect(problems(csv(MENTOR, MENTOR.replace('mentor', 'mentee')))).toEqual([
      'line 3, email: "ada@example.org"; expected another person: line 2 has the same one as mentor',
    ]);
  });

  it.each([
    ['without a mentee', [MENTOR], 'line 2, role: "M1"; expected a mentee in this mentorship as well'],
    [
      'without a mentor',
      [MENTEE.replace(',,,,', ',2026-01-05,,,')],
      'line 2, role: "M1"; expected a mentor in this mentorship as well',
    ],
    [
      'of one peer',
      [MENTOR.replace('mentor', 'peer')],
      'line 2, role: "M1"; expected at least two peers in this mentorship',
    ],
    [
      'of a mentor and a peer',
      [MENTOR, MENTEE.replace('mentee', 'peer')],
      'line 2, role: "M1"; expected either peers only or mentors and mentees, not both',
    ],
  ])('refuses a mentorship %s', (_, rows, expected) => {
    expect(problems(csv(...rows))).toEqual([expected]);
  });

  it.each([
    ['an empty file', '', 'line 1: expected a header line: program, mentorship'],
    ['only a header', `${HEADER}\n`, 'line 1: expected at least one row below the header'],
    [
      'a mistyped column',
      csv(MENTOR).replace('aliases', 'alias'),
      'line 1: "alias"; expected a known column; did you mean aliases?',
    ],
    [
      'a missing column',
      csv(MENTOR).replace('email', ''),
      'line 1, email: nothing there; expected a column named email',
    ],
    ['a column twice', csv(MENTOR).replace('language', 'role'), 'line 1: "role"; expected each column once'],
    [
      'a quotation mark left open',
      csv(MENTOR.replace('Ada', '"Ada')),
      'line 2: expected a closing quotation mark',
    ],
    [
      'a quotation mark in a cell',
      csv(MENTOR.replace('Ada', 'Ada "A"')),
      'line 2: expected quotation marks only around a whole cell',
    ],
    ['too many cells', csv(`${MENTOR},more`), 'line 2: "more"; expected no more than 11 cells'],
    ['a wrong encoding', csv(MENTOR.replace('Ada', 'Ad\uFFFD')), 'line 1: expected a text file in UTF-8'],
    ['broken JSON', '[\n {"program" 1}]', 'line 2: expected JSON without a syntax mistake'],
    ['JSON that is no list', '{"program": 1}', 'line 1: expected a JSON list of objects'],
    [
      'a JSON row that is no object',
      '[\n"x"\n]',
      'line 1: "x"; expected an object, one a member (entry 1 of the list)',
    ],
  ])('says what to do about %s', (_, text, expected) => {
    expect(problems(text)[0]).toContain(expected);
  });

  it('names the line of a JSON row', () => {
    const text =
      '[\n  {"program": "Engineering", "mentorship": "M{1", "role": "x", "email": "a@example.org",\n "name": "A", "calendar": "none", "starts_on": "2026-01-01"},\n  {"program": "Engineering", "mentorship": "M2", "role": "y", "email": "b@example.org"}\n]';
    expect(problems(text).map((line) => line.split(':')[0])).toEqual([
      'line 2, role',
      'line 4, role',
      'line 4, name',
      'line 4, calendar',
      'line 4, starts_on',
    ]);
  });
});
