import { z } from 'zod';
import { ACCEPTABLE_TIERS, CALENDAR_PERIODS } from '../domain/program.ts';
import {
  address,
  day,
  days,
  keeping,
  language,
  minutesOf,
  plainText,
  span,
  timeOfDay,
  webLink,
  wholeNumber,
  zone,
} from './policy-fields.ts';

/**
 * The configuration file. Nothing here fills in a default: a program first inherits what `defaults:` says, and
 * only then the built-in values of `policy.ts`. The `default` in a description tells editors what these are.
 */

const TAG_EXPECTED =
  'a text such as "#mentoring" or "[mentoring]", or {category}, {property, value} or {mailbox}';

/** The two slips that YAML itself lays in everybody's way. */
function tagExpected(input: unknown): string {
  if (input === null) return `${TAG_EXPECTED}; put it in quotation marks, because in YAML # begins a comment`;
  if (Array.isArray(input))
    return `${TAG_EXPECTED}; put it in quotation marks, because in YAML [ ] is a list`;
  return TAG_EXPECTED;
}

const some = (what: string) => `${what} that is not empty`;

const tag = z.union(
  [
    z
      .string()
      .regex(/^(?:#[^\s#[\]]+|\[[^[\]]*[^[\]\s][^[\]]*\])$/, { error: TAG_EXPECTED })
      .meta({ description: 'Looked for in title and body, in any letter case.', examples: ['#mentoring'] }),
    z.strictObject({
      category: plainText({ description: 'Name of an Outlook category.' }, some('a category')),
    }),
    z.strictObject({
      property: plainText({ description: 'Name of an extended property of a Google event.' }, some('a name')),
      value: plainText({ description: 'Its value.' }, some('a value')),
    }),
    z.strictObject({
      mailbox: address({ description: "The program's own mailbox, which people invite." }),
      calendar: z
        .enum(['google', 'microsoft'])
        .meta({ description: 'Where the mailbox lives; needed when both providers are configured.' })
        .optional(),
    }),
  ],
  { error: (issue) => tagExpected(issue.input) },
);

const cadence = z
  .strictObject({
    every: days(
      { description: 'Rolling: at least `count` sessions in every such span.', examples: ['P14D'] },
      { least: 1 },
    ).optional(),
    per: z
      .enum(CALENDAR_PERIODS)
      .meta({
        description: "Calendar: at least `count` sessions in every such period of the program's zone.",
      })
      .optional(),
    count: wholeNumber({ description: 'How many.', default: 1 }, 'a whole number from 1 to 31', {
      least: 1,
      most: 31,
    }).optional(),
    grace: days({ description: 'Between due and overdue.', default: 'P7D' }, { least: 0 }).optional(),
    first_session: days(
      {
        description: 'After its start, in which a mentorship is to hold its first session.',
        default: 'P10D',
      },
      { least: 1 },
    ).optional(),
    quiet_before_end: days(
      { description: 'Before the end of a mentorship nobody is told about its cadence.', default: 'P14D' },
      { least: 0 },
    ).optional(),
    unknown: z
      .enum(['held', 'not_held'])
      .meta({ description: 'How a session counts that nobody could verify.', default: 'held' })
      .optional(),
  })
  .refine(({ every, per }) => (every === undefined) !== (per === undefined), {
    error: 'either every (rolling, such as P14D) or per (week, month, quarter or year), not both',
  })
  .meta({ oneOf: [{ required: ['every'] }, { required: ['per'] }] });

const attendance = z.strictObject({
  minimum: span(
    {
      description:
        'How long both sides are to be present at the same time. Absent: the larger of 5 minutes and a fifth of the booked time.',
      examples: ['PT10M'],
    },
    { least: 'PT1M', most: 'PT8H' },
  ).optional(),
  accept: z
    .array(z.enum(ACCEPTABLE_TIERS))
    .min(1, { error: `at least one of ${ACCEPTABLE_TIERS.join(', ')}` })
    .refine(distinct, { error: 'each tier once' })
    .meta({
      description: 'What proves that a session was held. An RSVP alone never does.',
      default: ['conference_both', 'human_both', 'human_one'],
    })
    .optional(),
});

const reminders = z
  .array(span({ description: 'Before the start.' }, { least: 'PT5M', most: 'P30D' }))
  .max(3, { error: 'at most 3 reminders' })
  .refine((all) => distinct(all.map(minutesOf)), { error: 'each reminder at another time' })
  .meta({ description: 'When reminders leave. Never sent to who declined.', default: ['P1D', 'PT1H'] });

const talkingPoints = z
  .record(
    z.string().regex(/^[1-9]\d{0,3}$/, { error: 'the number of a session, from 1' }),
    z
      .array(plainText({ description: 'One point.' }, some('a point')))
      .min(1, { error: 'at least one point' }),
  )
  .meta({ description: 'By the number of the session in its mentorship.', default: {} });

const stages = z
  .array(
    z.strictObject({
      name: plainText({ description: 'Name of the stage.' }, some('a name')),
      from_session: wholeNumber(
        { description: 'Number of the held session with which it begins (1 = the first).' },
        'a whole number from 1 to 1000',
        { least: 1, most: 1000 },
      ),
    }),
  )
  .refine((all) => distinct(all.map((stage) => stage.name)), { error: 'stages with different names' })
  .refine((all) => distinct(all.map((stage) => stage.from_session)), {
    error: 'stages that begin at different sessions',
  })
  .meta({ description: 'Stages of a mentorship.', default: [] });

/** What mentoring programs publish as theirs: a first session in ten days, six in half a year. */
export const DEFAULT_BENCHMARKS = [
  { name: 'first session', sessions: 1, within: 'P10D' },
  { name: 'six sessions', sessions: 6, within: 'P6M' },
];

const benchmarks = z
  .array(
    z.strictObject({
      name: plainText({ description: 'Name of the benchmark, as the views show it.' }, some('a name')),
      sessions: wholeNumber(
        { description: 'How many held sessions (1 = the first).' },
        'a whole number from 1 to 1000',
        { least: 1, most: 1000 },
      ),
      within: keeping({
        description: 'Counted from the first day of the mentorship; pauses and holidays move it on.',
        examples: ['P10D', 'P6M'],
      }),
    }),
  )
  .refine((all) => distinct(all.map((benchmark) => benchmark.name)), {
    error: 'benchmarks with different names',
  })
  .meta({
    description: 'What a mentorship is to have reached by when. An empty list for none.',
    default: DEFAULT_BENCHMARKS,
  });

const quietHours = z
  .strictObject({
    from: timeOfDay({ description: "Begin, in the recipient's zone.", examples: ['21:00'] }),
    until: timeOfDay({
      description: 'End; earlier than the begin means the next morning.',
      examples: ['07:00'],
    }),
  })
  .refine(({ from, until }) => from !== until, { error: 'from and until at different times' })
  .nullable()
  .meta({ description: 'When no mail leaves; null for never.', default: { from: '21:00', until: '07:00' } });

const HOLIDAY_EXPECTED = 'a day such as 2026-12-25, or {from, until, name}';
const holidays = z
  .array(
    z.union(
      [
        day({ description: 'One day.', examples: ['2026-12-25'] }),
        z
          .strictObject({
            from: day({ description: 'First day.' }),
            until: day({ description: 'Last day.' }),
            name: plainText({ description: 'For the reader.' }, some('a name')).optional(),
          })
          .refine(({ from, until }) => until >= from, {
            error: `${HOLIDAY_EXPECTED} with until not before from`,
          }),
      ],
      { error: HOLIDAY_EXPECTED },
    ),
  )
  .meta({ description: "Days on which nobody is expected to meet, in the program's zone.", default: [] });

const rules = {
  time_zone: zone({
    description: 'IANA zone that decides in which day, week and month a session counts.',
    examples: ['Europe/Berlin'],
  }).optional(),
  live_from: day({
    description:
      'Violations older than this are recorded and told to nobody; compliance and benchmarks are measured from it on. Absent: the first start.',
  })
    .nullable()
    .optional(),
  tags: z
    .array(tag)
    .min(1, { error: 'at least one tag' })
    .meta({ description: 'What makes an event a mentor session of this program; any one is enough.' })
    .optional(),
  cadence: cadence.optional(),
  attendance: attendance.optional(),
  reminders: reminders.optional(),
  talking_points: talkingPoints.optional(),
  stages: stages.optional(),
  benchmarks: benchmarks.optional(),
  coordinator: address({ description: 'Gets the digest and escalations; absent: nobody does.' })
    .nullable()
    .optional(),
  language: language({
    description: 'Of the mails, unless the roster says otherwise.',
    default: 'en',
  }).optional(),
  quiet_hours: quietHours.optional(),
  holidays: holidays.optional(),
  feedback_url: webLink({ description: "Where feedback is asked for; absent: the daemon's own page." })
    .nullable()
    .optional(),
  candidates: z
    .boolean()
    .meta({
      description: 'List untagged events that hold both sides of a mentorship. They never count.',
      default: false,
    })
    .optional(),
};

const polling = z.strictObject({
  every: span(
    { description: 'Between looks at a calendar without push.', default: 'PT5M' },
    { least: 'PT1M', most: 'P1D' },
  ).optional(),
  with_push: span(
    { description: 'The same where push works.', default: 'PT15M' },
    { least: 'PT1M', most: 'P1D' },
  ).optional(),
  reconcile: span(
    { description: 'Between complete reads.', default: 'P1D' },
    { least: 'PT1H', most: 'P7D' },
  ).optional(),
});

const retention = z.strictObject({
  unmatched_events: keeping({
    description: 'Tagged events that belong to no mentorship.',
    default: 'P90D',
  }).optional(),
  candidate_events: keeping({ description: 'Untagged candidates.', default: 'P30D' }).optional(),
  mails: keeping({ description: 'Bodies of mails.', default: 'P90D' }).optional(),
  outbound_events: keeping({
    description: 'Events for other apps; also how far back they can be replayed.',
    default: 'P90D',
  }).optional(),
  sessions: keeping({
    description: 'Sessions and evidence, from the end of their mentorship; null keeps them.',
    default: null,
  })
    .nullable()
    .optional(),
});

export const policySchema = z
  .strictObject({
    defaults: z
      .strictObject(rules)
      .meta({
        description:
          'Rules for every program that does not give its own. A key given there replaces the whole key here.',
      })
      .optional(),
    programs: z
      .array(
        z.strictObject({
          name: plainText({ description: 'As the roster and every view name it. Unique.' }, some('a name')),
          ...rules,
        }),
        { error: 'a list of programs' },
      )
      .min(1, { error: 'at least one program' })
      .meta({ description: 'The mentoring programs.' }),
    polling: polling.meta({ description: 'How often calendars are looked at.' }).optional(),
    retention: retention.meta({ description: 'How long what nobody counts on is kept.' }).optional(),
  })
  .meta({ title: 'Configuration of cadenced' });

export type PolicyFile = z.output<typeof policySchema>;
export type ProgramSection = PolicyFile['programs'][number];

function distinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
