import type {
  Cadence,
  Holiday,
  PollingPolicy,
  ProgramPolicy,
  RetentionPolicy,
  TagRule,
} from '../domain/program.ts';
import { minutesOf } from './policy-fields.ts';
import { DEFAULT_BENCHMARKS, type PolicyFile, type ProgramSection } from './policy-schema.ts';

/** The rules of the configuration file with every default filled in. */
export type Policy = {
  readonly programs: readonly ProgramPolicy[];
  readonly polling: PollingPolicy;
  readonly retention: RetentionPolicy;
};

/** A section with nothing missing that has no default. */
type CompleteSection = ProgramSection & {
  [R in keyof typeof REQUIRED_RULES]: NonNullable<ProgramSection[R]>;
};

/** What a program cannot do without, in the program itself or under `defaults`. */
export const REQUIRED_RULES = {
  time_zone: 'an IANA time zone such as Europe/Berlin, here or under defaults',
  tags: 'a list of tags such as ["#mentoring"], here or under defaults',
  cadence: 'a cadence such as {every: P14D}, here or under defaults',
} as const;

/** A program's own rules over those of `defaults`. A key given replaces the whole key, nothing is mixed. */
export function inherit(defaults: PolicyFile['defaults'], section: ProgramSection): ProgramSection {
  return { ...defaults, ...section };
}

/**
 * Fills in the built-in defaults. They follow what mentoring programs publish about their own: a reminder a day
 * and an hour before, ten days for a first session, silence in the last two weeks.
 */
export function resolveProgram(section: ProgramSection): ProgramPolicy {
  const { name, time_zone, tags, cadence, attendance } = section as CompleteSection;
  return {
    name,
    timeZone: time_zone,
    liveFrom: section.live_from ?? null,
    tags: tags.map(resolveTag),
    cadence: resolveCadence(cadence),
    graceDays: cadence.grace ?? 7,
    firstSessionDays: cadence.first_session ?? 10,
    endingDays: cadence.quiet_before_end ?? 14,
    unknown: cadence.unknown ?? 'held',
    attendance: {
      // Who names a minimum means that one; the share is only a guess for who does not.
      minimum:
        attendance?.minimum === undefined
          ? { minutes: 5, share: 0.2 }
          : { minutes: minutesOf(attendance.minimum), share: 0 },
      accept: attendance?.accept ?? ['conference_both', 'human_both', 'human_one'],
    },
    reminders: (section.reminders ?? ['P1D', 'PT1H']).toSorted((a, b) => minutesOf(b) - minutesOf(a)),
    talkingPoints: section.talking_points ?? {},
    stages: (section.stages ?? [])
      .map(({ name: stage, from_session }) => ({ name: stage, fromSession: from_session }))
      .toSorted((a, b) => a.fromSession - b.fromSession),
    benchmarks: section.benchmarks ?? DEFAULT_BENCHMARKS,
    coordinator: section.coordinator ?? null,
    language: section.language ?? 'en',
    quietHours: section.quiet_hours === undefined ? { from: '21:00', until: '07:00' } : section.quiet_hours,
    holidays: (section.holidays ?? []).map(resolveHoliday).toSorted((a, b) => (a.from < b.from ? -1 : 1)),
    feedbackUrl: section.feedback_url ?? null,
    candidates: section.candidates ?? false,
  };
}

function resolveTag(tag: CompleteSection['tags'][number]): TagRule {
  if (typeof tag === 'string') return { kind: 'text', text: tag.normalize('NFC') };
  if ('category' in tag) return { kind: 'category', category: tag.category };
  if ('property' in tag) return { kind: 'property', property: tag.property, value: tag.value };
  return {
    kind: 'mailbox',
    mailbox: tag.mailbox,
    ...(tag.calendar !== undefined && { calendar: tag.calendar }),
  };
}

function resolveCadence({ every, per, count = 1 }: CompleteSection['cadence']): Cadence {
  if (per !== undefined) return { form: 'calendar', per, count };
  return { form: 'rolling', everyDays: every ?? 0, count };
}

function resolveHoliday(holiday: NonNullable<ProgramSection['holidays']>[number]): Holiday {
  if (typeof holiday === 'string') return { from: holiday, until: holiday, name: null };
  return { from: holiday.from, until: holiday.until, name: holiday.name ?? null };
}

export function resolvePolling(polling: PolicyFile['polling']): PollingPolicy {
  return {
    every: polling?.every ?? 'PT5M',
    withPush: polling?.with_push ?? 'PT15M',
    reconcile: polling?.reconcile ?? 'P1D',
  };
}

export function resolveRetention(retention: PolicyFile['retention']): RetentionPolicy {
  return {
    unmatchedEvents: retention?.unmatched_events ?? 'P90D',
    candidateEvents: retention?.candidate_events ?? 'P30D',
    mails: retention?.mails ?? 'P90D',
    outboundEvents: retention?.outbound_events ?? 'P90D',
    sessions: retention?.sessions ?? null,
  };
}
