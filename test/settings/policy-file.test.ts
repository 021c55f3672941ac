import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ProgramPolicy } from '../../src/domain/program.ts';
import { renderMistake } from '../../src/settings/mistakes.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import { generatedFiles } from '../../src/settings/write-schema.ts';

const SMALLEST = `
programs:
  - name: P
    time_zone: Europe/Berlin
    tags: ["#mentoring"]
    cadence: { every: P14D }
`;

function policy(text: string) {
  const parsed = parsePolicy(text, 'c.yaml');
  if (!parsed.ok) throw new Error(parsed.mistakes.map(renderMistake).join('\n'));
  return parsed.policy;
}

function program(text: string, index = 0): ProgramPolicy {
  const found = policy(text).programs[index];
  if (found === undefined) throw new Error(`no program ${index}`);
  return found;
}

function mistakes(text: string): string[] {
  const parsed = parsePolicy(text, 'c.yaml');
  return parsed.ok ? [] : parsed.mistakes.map(renderMistake);
}

/** The smallest file with further lines in its program. */
function withRule(lines: string): string {
  return `${SMALLEST.trimEnd()}\n${lines
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`;
}

describe('a program', () => {
  it('has a default for all but name, zone, tags and cadence', () => {
    expect(policy(SMALLEST)).toEqual({
      programs: [
        {
          name: 'P',
          timeZone: 'Europe/Berlin',
          liveFrom: null,
          tags: [{ kind: 'text', text: '#mentoring' }],
          cadence: { form: 'rolling', everyDays: 14, count: 1 },
          graceDays: 7,
          firstSessionDays: 10,
          endingDays: 14,
          unknown: 'held',
          attendance: {
            minimum: { minutes: 5, share: 0.2 },
            accept: ['conference_both', 'human_both', 'human_one'],
          },
          reminders: ['P1D', 'PT1H'],
          talkingPoints: {},
          stages: [],
          benchmarks: [
            { name: 'first session', sessions: 1, within: 'P10D' },
            { name: 'six sessions', sessions: 6, within: 'P6M' },
          ],
          coordinator: null,
          language: 'en',
          quietHours: { from: '21:00', until: '07:00' },
          holidays: [],
          feedbackUrl: null,
          candidates: false,
        },
      ],
      polling: { every: 'PT5M', withPush: 'PT15M', reconcile: 'P1D' },
      retention: {
        unmatchedEvents: 'P90D',
        candidateEvents: 'P30D',
        mails: 'P90D',
        outboundEvents: 'P90D',
        sessions: null,
      },
    });
  });

  it('inherits from defaults, a key given replacing the whole key', () => {
    const text = `
defaults:
  time_zone: Asia/Tokyo
  tags: ["#m"]
  cadence: { per: month, count: 2, grace: P3D }
  attendance: { minimum: PT30M, accept: [human_both] }
  quiet_hours: null
programs:
  - name: A
  - name: B
    time_zone: UTC
    cadence: { every: P3W }
    attendance: { accept: [human_one] }
`;
    expect(program(text, 0)).toMatchObject({
      timeZone: 'Asia/Tokyo',
      cadence: { form: 'calendar', per: 'month', count: 2 },
      graceDays: 3,
      attendance: { minimum: { minutes: 30, share: 0 }, accept: ['human_both'] },
      quietHours: null,
    });
    expect(program(text, 1)).toMatchObject({
      timeZone: 'UTC',
      cadence: { form: 'rolling', everyDays: 21, count: 1 },
      graceDays: 7,
      attendance: { minimum: { minutes: 5, share: 0.2 }, accept: ['human_one'] },
      quietHours: null,
    });
  });

  it('sorts reminders, stages and holidays, whatever the order they were written in', () => {
    const text = withRule(`reminders: [PT30M, P2D, PT4H]
stages: [{name: Late, from_session: 5}, {name: Early, from_session: 1}]
holidays: [2026-12-25, {from: 2026-05-01, until: 2026-05-03, name: May}]`);
    expect(program(text)).toMatchObject({
      reminders: ['P2D', 'PT4H', 'PT30M'],
      stages: [
        { name: 'Early', fromSession: 1 },
        { name: 'Late', fromSession: 5 },
      ],
      holidays: [
        { from: '2026-05-01', until: '2026-05-03', name: 'May' },
        { from: '2026-12-25', until: '2026-12-25', name: null },
      ],
    });
  });

  it('takes benchmarks of its own in place of the two there are, or none', () => {
    const own = withRule('benchmarks: [{name: halfway, sessions: 5, within: P3M}]');
    expect(program(own).benchmarks).toEqual([{ name: 'halfway', sessions: 5, within: 'P3M' }]);
    expect(program(withRule('benchmarks: []')).benchmarks).toEqual([]);
  });

  it('knows tags of every kind', () => {
    const text = SMALLEST.replace(
      '["#mentoring"]',
      '["#1:1", "[mentor talk]", {category: Mentoring}, {property: p, value: v}, {mailbox: M@Example.org}]',
    );
    expect(program(text).tags).toEqual([
      { kind: 'text', text: '#1:1' },
      { kind: 'text', text: '[mentor talk]' },
      { kind: 'category', category: 'Mentoring' },
      { kind: 'property', property: 'p', value: 'v' },
      { kind: 'mailbox', mailbox: 'm@example.org' },
    ]);
  });

  it('counts any mix of weeks and days', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(300), (weeks, days) => {
        fc.pre(weeks + days > 0);
        const every = `P${weeks > 0 ? `${weeks}W` : ''}${days > 0 ? `${days}D` : ''}`;
        const { cadence } = program(SMALLEST.replace('P14D', every));
        expect(cadence).toEqual({ form: 'rolling', everyDays: weeks * 7 + days, count: 1 });
      }),
    );
  });
});

describe('mistakes in the file', () => {
  it('are told all together, by line', () => {
    const text = `defaults:
  timezone: Europe/Berlin
programs:
  - name: Engineering
    time_zone: Europe/Belin
    tags:
      - #mentoring
      - [mentoring]
      - { mailbox: nobody }
      - { property: p }
    cadence:
      every: 14 days
      per: month
      unknown: maybe
    reminders: [P1D, PT24H]
    talking_points:
      zero: [a]
      1: a point
  - name: engineering
    tags: ["#x"]
polling:
  every: PT5S
extra: 1
`;
    expect(mistakes(text)).toEqual([
      'c.yaml:2 defaults.timezone: "timezone"; expected a known key; did you mean time_zone?',
      'c.yaml:5 programs[0].time_zone: "Europe/Belin"; expected an IANA time zone; did you mean Europe/Berlin?',
      'c.yaml:7 programs[0].tags[0]: nothing there; expected a text such as "#mentoring" or "[mentoring]", or {category}, {property, value} or {mailbox}; put it in quotation marks, because in YAML # begins a comment',
      'c.yaml:8 programs[0].tags[1]: ["mentoring"]; expected a text such as "#mentoring" or "[mentoring]", or {category}, {property, value} or {mailbox}; put it in quotation marks, because in YAML [ ] is a list',
      'c.yaml:9 programs[0].tags[2].mailbox: "nobody"; expected an address such as ada@example.org',
      'c.yaml:10 programs[0].tags[3].value: nothing there; expected a value that is not empty',
      'c.yaml:12 programs[0].cadence.every: "14 days"; expected whole days or weeks such as P14D or P2W, at least one day',
      'c.yaml:14 programs[0].cadence.unknown: "maybe"; expected one of held, not_held',
      'c.yaml:15 programs[0].reminders: ["P1D","PT24H"]; expected each reminder at another time',
      'c.yaml:17 programs[0].talking_points.zero: "zero"; expected the number of a session, from 1',
      'c.yaml:18 programs[0].talking_points.1: "a point"; expected a list',
      'c.yaml:19 programs[1].time_zone: nothing there; expected an IANA time zone such as Europe/Berlin, here or under defaults',
      'c.yaml:19 programs[1].cadence: nothing there; expected a cadence such as {every: P14D}, here or under defaults',
      'c.yaml:19 programs[1].name: "engineering"; expected a name of its own; programs[0] has this one',
      'c.yaml:22 polling.every: "PT5S"; expected a duration from PT1M to P1D in days, hours or minutes, such as P1D or PT90M',
      'c.yaml:23 extra: "extra"; expected one of the keys defaults, programs, polling, retention',
    ]);
  });

  it.each([
    [
      'both forms of a cadence',
      SMALLEST.replace('P14D', 'P14D, per: month'),
      'programs[0].cadence: {"every":"P14D","per":"month"}; expected either every',
    ],
    ['no form of a cadence', SMALLEST.replace('every: P14D', 'count: 2'), 'expected either every'],
    ['a cadence in months', SMALLEST.replace('P14D', 'P1M'), 'expected whole days or weeks'],
    ['a cadence of nothing', SMALLEST.replace('P14D', 'P0D'), 'at least one day'],
    ['a negative duration', SMALLEST.replace('P14D', '-P14D'), 'expected whole days or weeks'],
    [
      'a fixed offset for a zone',
      SMALLEST.replace('Europe/Berlin', '"+02:00"'),
      'expected an IANA time zone',
    ],
    [
      'a bare word for a tag',
      SMALLEST.replace('#mentoring', 'mentoring'),
      'expected a text such as "#mentoring"',
    ],
    ['no tags', SMALLEST.replace('["#mentoring"]', '[]'), 'expected at least one tag'],
    ['no programs', 'programs: []', 'programs: []; expected at least one program'],
    ['nothing at all', '', 'c.yaml:1: nothing there; expected a map of keys and values'],
    ['only a list', '- a', 'expected a map of keys and values'],
    ['a day that does not exist', withRule('live_from: 2026-02-30'), 'expected a day that exists'],
    [
      'a holiday that ends before it starts',
      withRule('holidays: [{from: 2026-02-02, until: 2026-02-01}]'),
      'until not before from',
    ],
    [
      'quiet hours of no length',
      withRule('quiet_hours: {from: "20:00", until: "20:00"}'),
      'at different times',
    ],
    [
      'an hour that does not exist',
      withRule('quiet_hours: {from: "24:00", until: "07:00"}'),
      'expected a time of day',
    ],
    ['four reminders', withRule('reminders: [P1D, P2D, P3D, P4D]'), 'expected at most 3 reminders'],
    [
      'an RSVP as proof',
      withRule('attendance: {accept: [rsvp_only]}'),
      'expected one of conference_both, human_both, conference_one, human_one',
    ],
    [
      'two stages at one session',
      withRule('stages: [{name: A, from_session: 1}, {name: B, from_session: 1}]'),
      'stages that begin at different sessions',
    ],
    [
      'two benchmarks of one name',
      withRule('benchmarks: [{name: A, sessions: 1, within: P1D}, {name: A, sessions: 2, within: P1M}]'),
      'benchmarks with different names',
    ],
    [
      'a benchmark of hours',
      withRule('benchmarks: [{name: A, sessions: 1, within: PT5H}]'),
      'benchmarks[0].within: "PT5H"; expected a duration of at least a day',
    ],
    [
      'a benchmark of no sessions',
      withRule('benchmarks: [{name: A, sessions: 0, within: P5D}]'),
      'benchmarks[0].sessions: 0; expected a whole number from 1 to 1000',
    ],
    ['a coordinator who is no address', withRule('coordinator: Ada'), 'expected an address'],
    ['an insecure link', withRule('feedback_url: http://forms.example.org'), 'expected an https:// address'],
    ['a word for true', withRule('candidates: yes please'), 'expected true or false'],
    [
      'a key twice',
      withRule('language: en\nlanguage: de'),
      'c.yaml:8: nothing there; expected valid YAML: Map keys must be unique',
    ],
    ['broken YAML', 'programs: [', 'expected valid YAML'],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(30)}]\nc: &c [${'*b,'.repeat(30)}]\nd: [${'*c,'.repeat(30)}]`,
      'expected fewer YAML aliases',
    ],
  ])('%s', (_, text, expected) => {
    expect(mistakes(text).join('\n')).toContain(expected);
  });
});

describe('the published JSON Schema', () => {
  const schema = JSON.parse(generatedFiles().get('cadenced.schema.json') ?? '') as object;
  const validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(
    schema,
  );

  it.each([
    ['the smallest file', SMALLEST, true],
    ['a key it does not know', `${SMALLEST}extra: 1`, false],
    ['both forms of a cadence', SMALLEST.replace('P14D', 'P14D, per: month'), false],
    ['a duration in words', SMALLEST.replace('P14D', '14 days'), false],
    ['a tag without a mark', SMALLEST.replace('#mentoring', 'mentoring'), false],
  ])('judges %s as the parser does', (_, text, right) => {
    expect(mistakes(text).length === 0).toBe(right);
    expect(validate(parse(text))).toBe(right);
  });
});
