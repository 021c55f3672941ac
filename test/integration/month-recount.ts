import { DateTime } from 'luxon';
import { BEGIN, dayOf, HOUR, type Member, type MonthWorld, type Pair } from './month-world.ts';

/*
 * The metrics of a world, from their definitions and without a look at the SQL: every session is walked over, nothing
 * is kept, nothing is summed twice.
 */

export type Row = Record<string, number | null>;
type Meeting = MonthWorld['meetings'][number];
type Session = Meeting['sessions'][0];

type Fact = {
  readonly meeting: Meeting;
  readonly occurrence: number;
  readonly session: Session;
  readonly pair: Pair;
  readonly month: string;
  readonly counts: string;
  readonly leftOut: string | null;
};

const ELIGIBLE = ['held', 'too_short', 'one_sided', 'no_one', 'unknown'];

export function factsOf(given: MonthWorld, pairs: readonly Pair[]): Fact[] {
  return given.meetings.flatMap((meeting, occurrence) =>
    meeting.of.map((which, place) => {
      const [pair, session] = [pairs[which] as Pair, meeting.sessions[place] as Session];
      const start = BEGIN + meeting.hour * HOUR;
      const local = DateTime.fromMillis(start, { zone: pair.zone });
      const day = local.toISODate() ?? '';
      const within = ({ from, days }: { from: number; days: number }) =>
        dayOf(from) <= day && day <= dayOf(from + days - 1);
      const paused = given.pauses.some(
        (pause) => within(pause) && (pause.of === which || (pause.of === 'mentor' && which < 2)),
      );
      const changed = Math.max(BEGIN + given.policyChangedAt * HOUR, Date.parse('2026-01-25T00:00:01Z'));
      const holiday = pair.program === 'oak' && given.holidays[start < changed ? 0 : 1].some(within);
      const end = which === 2 ? null : (given.ends[which] ?? null);
      const over = end !== null && day > dayOf(end);
      const leftOut = paused ? 'pause' : holiday ? 'holiday' : over ? 'end' : null;
      const settled = session.settled && session.outcome !== null;
      const counts =
        session.outcome === 'cancelled' || (session.cancelled !== null && session.outcome === null)
          ? 'cancelled'
          : !settled
            ? 'pending'
            : leftOut !== null
              ? 'paused'
              : (session.outcome ?? '');
      return { meeting, occurrence, session, pair, month: local.toFormat('yyyy-MM-01'), counts, leftOut };
    }),
  );
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
const mean = (numbers: readonly number[]) => (numbers.length === 0 ? null : sum(numbers) / numbers.length);
function median(numbers: readonly number[]): number | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return sorted.length === 0
    ? null
    : ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
/** Verified, lower and upper of something that `unknown` of the whole may be or not be. */
function threeWays(name: string, part: number, whole: number, unknown: number): Row {
  const known = whole - unknown;
  return {
    [`${name}_verified`]: known >= 5 && known / whole >= 0.5 ? part / known : null,
    [`${name}_lower`]: share(part, whole),
    [`${name}_upper`]: share(part + unknown, whole),
  };
}

/** One row of program_month, mentorship_month or mentor_month. */
export function monthRow(facts: readonly Fact[]): Row {
  const of = (what: string) => facts.filter(({ counts }) => counts === what);
  const n = (what: string) => of(what).length;
  const missed = (role: string) =>
    facts.filter(({ counts, session }) => counts === 'one_sided' && session.reason === `${role}_absent`)
      .length;
  const held = of('held');
  const cancelled = of('cancelled');
  const by = (role: string | null) =>
    cancelled.filter(({ session }) => {
      const who =
        session.cancelled === null
          ? (session.declined?.replace('declined_by_', '') ?? null)
          : session.cancelled.by;
      return who === role;
    }).length;
  const late = cancelled.filter(
    ({ session }) => session.cancelled !== null && session.cancelled.hoursBefore < 24,
  ).length;
  const eligible = sum(ELIGIBLE.map(n));
  const unknown = n('unknown');
  const moved = facts.filter(({ meeting }) => meeting.moves > 0);
  const meetings = [...Map.groupBy(facts, ({ occurrence }) => occurrence).values()];
  const slips = meetings.flatMap(([one]) =>
    one && one.meeting.moves > 0 && one.meeting.slipHours !== null ? [one.meeting.slipHours / 24] : [],
  );
  const leads = meetings.flatMap(([one]) =>
    one && one.meeting.seenHoursBefore > 0 ? [one.meeting.seenHoursBefore / 24] : [],
  );
  const delays = held.flatMap(({ session }) => (session.delay === null ? [] : [session.delay]));
  const lateStarts = delays.filter((delay) => delay > 5).length;
  const longest = (those: readonly (number | null)[]) => Math.max(0, ...those.map((one) => one ?? 0));
  const mentorMissed = missed('mentor') + n('no_one');
  const menteeMissed = missed('mentee') + n('no_one');
  return {
    scheduled: facts.length,
    ...Object.fromEntries(
      ['held', 'too_short', 'one_sided', 'no_one', 'cancelled', 'unknown', 'pending', 'paused'].map((it) => [
        it,
        n(it),
      ]),
    ),
    late_cancelled: late,
    rescheduled: moved.length,
    mentor_no_show: mentorMissed,
    mentee_no_show: menteeMissed,
    peer_no_show: missed('peer'),
    both_absent: n('no_one'),
    eligible,
    hours:
      sum(
        meetings.map((those) =>
          longest(
            those
              .filter(
                ({ counts, session }) => ['held', 'paused'].includes(counts) && session.outcome === 'held',
              )
              .map(({ session }) => session.overlap),
          ),
        ),
      ) / 60,
    scheduled_hours:
      sum(
        meetings.map((those) =>
          longest(those.filter(({ counts }) => counts !== 'cancelled').map(({ meeting }) => meeting.minutes)),
        ),
      ) / 60,
    ...threeWays('attendance_rate', n('held'), eligible, unknown),
    ...threeWays('no_show_rate', n('one_sided') + n('no_one'), eligible, unknown),
    ...threeWays('mentor_no_show_rate', mentorMissed, eligible, unknown),
    ...threeWays('mentee_no_show_rate', menteeMissed, eligible, unknown),
    ...threeWays('both_absent_rate', n('no_one'), eligible, unknown),
    ...threeWays('late_cancellation_rate', late, eligible + late, unknown),
    late_cancellation_rate_upper: share(late, eligible + late),
    ...threeWays('cancellation_rate', cancelled.length, facts.length, 0),
    ...threeWays('reschedule_rate', moved.length, facts.length, 0),
    coverage: share(eligible - unknown, eligible),
    on_holiday: facts.filter(({ counts, leftOut }) => counts === 'paused' && leftOut === 'holiday').length,
    after_end: facts.filter(({ counts, leftOut }) => counts === 'paused' && leftOut === 'end').length,
    cancelled_by_mentor: by('mentor'),
    cancelled_by_mentee: by('mentee'),
    cancelled_by_peer: by('peer'),
    cancelled_by_other: by('other'),
    cancelled_by_unknown: by(null),
    moves: sum(facts.map(({ meeting }) => meeting.moves)),
    avg_moves: share(sum(facts.map(({ meeting }) => meeting.moves)), facts.length),
    avg_slip_days: mean(slips),
    median_slip_days: median(slips),
    avg_booking_lead_days: mean(leads),
    median_booking_lead_days: median(leads),
    starts_known: delays.length,
    late_starts: lateStarts,
    ...threeWays('late_start_rate', lateStarts, held.length, held.length - delays.length),
    late_start_coverage: share(delays.length, held.length),
    avg_start_delay_min: mean(delays.map((delay) => Math.max(delay, 0))),
  };
}

type Invitation = Fact & { readonly member: Member; readonly person: Session['people'][0] };

export function invitationsOf(facts: readonly Fact[]): Invitation[] {
  return facts.flatMap((fact) =>
    fact.pair.members.map((member, at) => ({
      ...fact,
      member,
      person: fact.session.people[at] as Session['people'][0],
    })),
  );
}

/** One row of participant_month, participant_attendance or role_month. */
export function participantRow(invitations: readonly Invitation[]): Row {
  const eligible = invitations.filter(({ counts }) => ELIGIBLE.includes(counts));
  const n = (...those: ReadonlyArray<string | null>) =>
    eligible.filter(({ person }) => those.includes(person.status)).length;
  const counted = (what: string) => invitations.filter(({ counts }) => counts === what);
  const unknown = n('unknown', null);
  const meetings = [...Map.groupBy(invitations, ({ occurrence }) => occurrence).values()];
  return {
    invited: invitations.length,
    attended: n('attended'),
    absent: n('absent'),
    excused: n('excused'),
    unknown,
    eligible: eligible.length,
    cancelled: counted('cancelled').length,
    pending: counted('pending').length,
    paused: counted('paused').length,
    on_holiday: counted('paused').filter(({ leftOut }) => leftOut === 'holiday').length,
    after_end: counted('paused').filter(({ leftOut }) => leftOut === 'end').length,
    hours:
      sum(
        meetings.map((those) =>
          Math.max(
            0,
            ...those
              .filter(
                ({ counts, person }) =>
                  !['cancelled', 'pending'].includes(counts) && person.status === 'attended',
              )
              .map(({ person }) => person.minutes ?? 0),
          ),
        ),
      ) / 60,
    ...threeWays('participant_attendance_rate', n('attended'), eligible.length, unknown),
    ...threeWays('participant_no_show_rate', n('absent'), eligible.length, unknown),
    coverage: share(eligible.length - unknown, eligible.length),
  };
}

/** One row of feedback_month. */
export function feedbackRow(facts: readonly Fact[]): Row {
  const all = invitationsOf(facts);
  const asked = all.filter(({ person }) => person.asked === 'sent');
  const held = facts.filter(({ counts }) => counts === 'held');
  const prompted = held.filter((fact) =>
    invitationsOf([fact]).some(({ person }) => person.asked === 'sent'),
  ).length;
  const answers = asked.filter(({ person }) => person.answered).length;
  const responses = asked.filter(({ person }) => person.feedback !== null).length;
  const ratings = all.flatMap(({ person }) => (person.feedback?.rating ? [person.feedback.rating] : []));
  return {
    held: held.length,
    prompted,
    prompts: asked.length,
    answers,
    responses,
    unprompted_responses: all.filter(({ person }) => person.feedback !== null).length - responses,
    ...threeWays('feedback_prompt_rate', prompted, held.length, 0),
    ...threeWays('answer_rate', answers, asked.length, 0),
    ...threeWays('response_rate', responses, asked.length, 0),
    ratings: ratings.length,
    avg_rating: ratings.length < 5 ? null : mean(ratings),
  };
}

type Mail = { readonly key: string; readonly status: string };

/** Every mail of a world under program, month and kind. */
export function mailsOf(given: MonthWorld, pairs: readonly Pair[]): Mail[] {
  const mails = invitationsOf(factsOf(given, pairs)).flatMap(({ pair, month, person }) => [
    ...person.reminders.map((status) => ({ key: `${pair.program} ${month} reminder`, status })),
    ...(person.asked ? [{ key: `${pair.program} ${month} did_you_meet`, status: person.asked }] : []),
  ]);
  const nudges = given.nudges.map(({ of, hour, status }) => {
    const { program, zone } = pairs[of] as Pair;
    const month = DateTime.fromMillis(BEGIN + hour * HOUR, { zone }).toFormat('yyyy-MM-01');
    return { key: `${program} ${month} nudge`, status };
  });
  return [...mails, ...nudges];
}

/** One row of reminder_outcome: its mails, and the invitations of that program and month for kind reminder. */
export function reminderRow(mails: readonly Mail[], invitations: readonly Invitation[]): Row {
  const n = (...those: readonly string[]) => mails.filter(({ status }) => those.includes(status)).length;
  const reminded = invitations.filter(
    ({ counts, person }) => ELIGIBLE.includes(counts) && person.reminders.includes('sent'),
  );
  const came = reminded.filter(({ person }) => person.status === 'attended').length;
  const unknown = reminded.filter(
    ({ person }) => person.status === 'unknown' || person.status === null,
  ).length;
  return {
    mails: mails.length,
    queued: n('queued', 'sending'),
    accepted: n('sent'),
    bounced: n('refused', 'failed'),
    suppressed: n('suppressed'),
    reminded: reminded.length,
    reminded_attended: came,
    reminded_unknown: unknown,
    ...threeWays('attended_after_reminder', came, reminded.length, unknown),
    attended_after_reminder_coverage: share(reminded.length - unknown, reminded.length),
  };
}
