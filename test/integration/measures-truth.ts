import { DateTime, Duration } from 'luxon';
import {
  type Case,
  dayOf,
  iso,
  isPast,
  type Meeting,
  numberOf,
  type Pair,
  PEOPLE,
  type Version,
} from './measures-case.ts';

/*
 * The definitions once more, walking day by day: slow, plain, and written without a look at the SQL.
 */

export const share = (part: number, whole: number): number | null =>
  whole > 0 ? Number((part / whole).toFixed(4)) : null;
export const verifiedShare = (part: number, known: number, eligible: number): number | null =>
  known >= 5 && known * 2 >= eligible ? share(part, known) : null;
/** The four columns in which every rate comes, in the order verified, lower, upper, coverage. */
export const rate = (part: number, unknown: number, whole: number) => [
  verifiedShare(part, whole - unknown, whole),
  share(part, whole),
  share(part + unknown, whole),
  share(whole - unknown, whole),
];

/** As PostgreSQL's percentile_cont, to one decimal. */
export function percentile(values: readonly number[], at: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  if (sorted.length === 0) return null;
  const place = at * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return Number((low + (high - low) * (place - Math.floor(place)) + 1e-9).toFixed(1));
}

export const endOf = (pair: Pair): number => (pair.length === null ? Infinity : pair.starts + pair.length);
const held = (meeting: Meeting) => meeting.what === 'held';
const open = (meeting: Meeting) => meeting.what === 'unknown' || meeting.what === 'unsettled';

function versionOn(given: Case, day: number): Version | undefined {
  return given.versions.findLast((version) => version.from <= day);
}
function isIn(spans: ReadonlyArray<{ from: number; days: number }>, day: number): boolean {
  return spans.some(({ from, days }) => from <= day && day < from + days);
}
export function pausedOn(given: Case, pair: Pair, day: number): boolean {
  const own = given.pausedPerson;
  const members = own !== null && (own.person === pair.mentor || own.person === pair.mentee);
  return isIn(pair.paused, day) || (members && isIn([own.stretch], day));
}
/** Free by the rules that were in force on the day. */
function freeOn(given: Case, pair: Pair, day: number): boolean {
  return pausedOn(given, pair, day) || isIn(versionOn(given, day)?.holidays ?? [], day);
}
/** The day that lies so many days on, days that are free not counted. */
function walk(from: number, days: number, isFree: (day: number) => boolean): number {
  let day = from;
  for (let left = days; left > 0; ) {
    day += 1;
    if (!isFree(day)) left -= 1;
  }
  return day;
}

const days = (from: number, until: number) =>
  Array.from({ length: Math.max(until - from, 0) }, (_, i) => from + i);

/** Stretches of days in which the same cadence was asked for: consecutive versions that agree are one. */
function stretches(given: Case) {
  const found: Array<{ from: number; until: number; version: Version }> = [];
  for (const [index, version] of given.versions.entries()) {
    const until = given.versions[index + 1]?.from ?? Infinity;
    const last = found.at(-1);
    const key = (one: Version) =>
      JSON.stringify([one.cadence, one.cadence.form === 'rolling' ? one.grace : null]);
    if (last !== undefined && key(last.version) === key(version)) last.until = until;
    else found.push({ from: version.from, until, version });
  }
  return found;
}

export function compliance(given: Case, pair: Pair, form: 'rolling' | 'calendar') {
  const { today } = given;
  const upto = Math.min(today, endOf(pair));
  const free = (day: number) => freeOn(given, pair, day);
  const past = pair.met
    .filter((one) => isPast(one, today) && (held(one) || open(one)))
    .toSorted((one, other) => one.day * 24 + one.hour - (other.day * 24 + other.hour));
  const count = { kept: 0, missed: 0, unverified: 0, free: 0 };
  for (const { from, until, version } of stretches(given)) {
    const { cadence, grace } = version;
    if (cadence.form !== form) continue;
    if (cadence.form === 'calendar') {
      for (let day = pair.starts; day <= upto; day++) {
        if (numberOf(dayOf(day).startOf(cadence.per)) !== day) continue;
        const before = numberOf(dayOf(day).plus({ [`${cadence.per}s`]: 1 }));
        if (day < from || before > until || before - 1 > endOf(pair) || before + 2 > today) continue;
        const within = past.filter((one) => day <= one.day && one.day < before);
        const sure = within.filter(held).length;
        if (days(day, before).filter(free).length * 2 > before - day) count.free += 1;
        else if (sure >= cadence.count) count.kept += 1;
        else if (within.length >= cadence.count) count.unverified += 1;
        else count.missed += 1;
      }
      continue;
    }
    const most = cadence.everyDays + grace;
    const gap = (one: number, other: number) => days(one + 1, other + 1).filter((day) => !free(day)).length;
    // Whether the cadence was kept from one session to another, or to today, if all of these had been held.
    const keptBy = (met: readonly Meeting[], last: number | null) =>
      met.every((one, index) => {
        const next = met[index + cadence.count];
        if (next !== undefined) return gap(one.day, next.day) <= most;
        // Only the gap that falls due first is open.
        const due = Math.max(met.length - cadence.count, 0);
        return last === null || index !== due || gap(one.day, last) <= most;
      });
    const proven = past.filter(held);
    for (const [index, one] of proven.entries()) {
      if (one.day < from || one.day >= until) continue;
      const next = proven[index + cadence.count];
      if (next !== undefined) {
        const between = past.slice(past.indexOf(one), past.indexOf(next) + 1);
        if (gap(one.day, next.day) <= most) count.kept += 1;
        else if (keptBy(between, null)) count.unverified += 1;
        else count.missed += 1;
      } else if (index === Math.max(proven.length - cadence.count, 0) && gap(one.day, upto) > most) {
        if (keptBy(past.slice(past.indexOf(one)), upto)) count.unverified += 1;
        else count.missed += 1;
      }
    }
  }
  return {
    ...count,
    freeDays: days(pair.starts, upto + 1).filter(free).length,
    expected: count.kept + count.missed + count.unverified,
  };
}

export function activity(given: Case, pair: Pair) {
  const { today } = given;
  const rules = given.versions.at(-1) as Version;
  const inDate = pair.starts <= today && today <= endOf(pair);
  const paused = pausedOn(given, pair, today);
  const interval =
    rules.cadence.form === 'rolling'
      ? rules.cadence.everyDays
      : { week: 7, month: 30, quarter: 91, year: 365 }[rules.cadence.per];
  const window = Math.max(2 * interval, 30);
  const pauses = (day: number) => pausedOn(given, pair, day);
  const ago = (one: Meeting) => days(one.day + 1, today + 1).filter((day) => !pauses(day)).length;
  const past = pair.met.filter((one) => isPast(one, today));
  const within = (which: (one: Meeting) => boolean) => past.filter(which).some((one) => ago(one) <= window);
  const active = !inDate || paused ? false : within(held) ? true : within(open) ? null : false;
  const booked = pair.met.some((one) => !isPast(one, today));
  const graced = walk(
    pair.starts,
    rules.first + rules.grace,
    (day) => pauses(day) || isIn(rules.holidays, day),
  );
  return {
    inDate,
    paused,
    pastGrace: today > graced,
    active,
    activeOrBooked: inDate && !paused && booked ? true : active,
    ended: endOf(pair) < today,
    early: endOf(pair) < today && pair.sooner !== null ? pair.sooner > 0 : null,
    pausedDays: days(pair.starts, Math.min(today, endOf(pair)) + 1).filter(pauses).length,
  };
}

/** By first day of the month, of every mentorship that ran in it. */
export function activityMonths(given: Case) {
  const months = new Map<
    string,
    Record<'inDate' | 'paused' | 'ever' | 'unverified' | 'closed' | 'planned' | 'early', number>
  >();
  for (const pair of given.pairs) {
    const last = Math.min(endOf(pair), given.today);
    const running = Map.groupBy(days(pair.starts, last + 1), (day) => monthOf(dayOf(day)));
    for (const [month, own] of running) {
      const its = months.get(month) ?? {
        inDate: 0,
        paused: 0,
        ever: 0,
        unverified: 0,
        closed: 0,
        planned: 0,
        early: 0,
      };
      months.set(month, its);
      its.inDate += 1;
      const met = pair.met.filter((one) => isPast(one, given.today) && monthOf(dayOf(one.day)) === month);
      if (own.every((day) => pausedOn(given, pair, day))) its.paused += 1;
      else if (met.some(held)) its.ever += 1;
      else if (met.some(open)) its.unverified += 1;
      if (endOf(pair) < given.today && own.includes(endOf(pair))) {
        its.closed += 1;
        if (pair.sooner !== null) its.planned += 1;
        if (pair.sooner !== null && pair.sooner > 0) its.early += 1;
      }
    }
  }
  return months;
}

export const monthOf = (day: DateTime) => day.startOf('month').toISODate() ?? '';

export function progress(given: Case) {
  const begun = given.pairs.filter((pair) => pair.starts <= given.today);
  const firsts = begun.flatMap((pair) => {
    const met = pair.met.filter(held).map((one) => one.day);
    return met.length === 0 ? [] : [Math.min(...met) - pair.starts];
  });
  const waits = begun
    .filter((pair) => !pair.met.some(held))
    .map((pair) => Math.min(given.today, endOf(pair)) - pair.starts);
  const gaps = given.pairs.flatMap((pair) => {
    const met = pair.met
      .filter(held)
      .toSorted((one, other) => one.day * 24 + one.hour - (other.day * 24 + other.hour));
    return met.slice(1).map((one, index) => {
      const before = met[index]?.day ?? 0;
      // The day of the session itself is not one that was paused: they met on it.
      return one.day - before - days(before + 1, one.day).filter((day) => pausedOn(given, pair, day)).length;
    });
  });
  return { begun: begun.length, firsts, waits, gaps };
}

export function benchmarks(given: Case, pair: Pair) {
  const found = new Map<string, { due: number; sessions: number }>();
  for (const [index, version] of given.versions.entries()) {
    const until = given.versions[index + 1]?.from ?? Infinity;
    for (const mark of version.benchmarks) {
      const nominal = numberOf(dayOf(pair.starts).plus(Duration.fromISO(mark.within)).startOf('day'));
      const due = walk(pair.starts, nominal - pair.starts, (day) => freeOn(given, pair, day));
      const known = found.get(mark.name);
      if (due < version.from || due >= until || (known !== undefined && known.due <= due)) continue;
      found.set(mark.name, { due, sessions: mark.sessions });
    }
  }
  const past = pair.met
    .filter((one) => isPast(one, given.today))
    .toSorted((one, other) => one.day * 24 + one.hour - (other.day * 24 + other.hour));
  return [...found].map(([name, { due, sessions }]) => {
    const reached = past.filter(held)[sessions - 1];
    const inTime = past.filter((one) => one.day <= due);
    const state =
      reached !== undefined && reached.day <= due
        ? 'attained'
        : endOf(pair) < Math.min(due, given.today)
          ? 'ended'
          : given.today <= due
            ? 'open'
            : inTime.filter((one) => held(one) || open(one)).length >= sessions
              ? 'unverified'
              : 'missed';
    return { name, due: iso(due), state, counted: given.today > due && endOf(pair) >= due };
  });
}

type Role = 'mentor' | 'mentee';
const ROLES: readonly Role[] = ['mentor', 'mentee'];

export function enrolments(given: Case) {
  return days(0, PEOPLE).flatMap((person) =>
    ROLES.flatMap((role) => {
      const pairs = given.pairs.filter((pair) => pair[role] === person);
      const named = given.enrolled.filter((one) => one.person === person && one.role === role);
      if (pairs.length + named.length === 0) return [];
      const open = pairs.filter((pair) => endOf(pair) >= given.today);
      const here = named.some(
        ({ from, length }) =>
          from <= given.today && given.today <= (length === null ? Infinity : from + length),
      );
      const enrolled = here || open.length > 0;
      const since = Math.min(...pairs.map((pair) => pair.starts), ...named.map((one) => one.from));
      const ended = pairs.map(endOf).filter((end) => end < given.today);
      const waiting =
        enrolled && open.length === 0 ? given.today - Math.max(since, ...ended.map((end) => end + 1)) : null;
      return [{ person, role, enrolled, matched: open.length > 0, waiting }];
    }),
  );
}

/** Of one role, or of everybody, each person once. */
export function engagement(given: Case, role: Role | null, window: number) {
  const begin = given.today - window + 1;
  const count = { participants: 0, paused: 0, engaged: 0, unverified: 0 };
  for (const person of days(0, PEOPLE)) {
    const roles = role === null ? ROLES : [role];
    const own = roles.flatMap((each) =>
      given.pairs.filter((pair) => pair[each] === person).map((pair) => ({ pair, as: each })),
    );
    const running = own.map(({ pair, as }) => ({
      pair,
      as,
      days: days(Math.max(pair.starts, begin), Math.min(endOf(pair), given.today) + 1),
    }));
    const there = running.filter((one) => one.days.length > 0);
    if (there.length === 0) continue;
    if (there.every((one) => one.days.every((day) => pausedOn(given, one.pair, day)))) {
      count.paused += 1;
      continue;
    }
    count.participants += 1;
    // Sessions of all mentorships of a role they have in this time, also of one that has ended since.
    const met = own
      .filter(({ as }) => there.some((one) => one.as === as))
      .flatMap(({ pair, as }) => pair.met.map((one) => ({ one, status: one[as] })))
      .filter(({ one }) => isPast(one, given.today) && one.day >= begin);
    if (met.some(({ one, status }) => held(one) && status === 'attended')) count.engaged += 1;
    else if (met.some(({ one, status }) => open(one) || (held(one) && status === 'unknown')))
      count.unverified += 1;
  }
  return count;
}

/** What a mentor carried in a month. */
export function load(given: Case, mentor: number, month: string) {
  const begin = DateTime.fromISO(month, { zone: dayOf(0).zone });
  const last = Math.min(numberOf(begin.plus({ months: 1 })) - 1, given.today);
  const own = given.pairs.filter((pair) => pair.mentor === mentor);
  const ran = own.filter((pair) => pair.starts <= last && endOf(pair) >= numberOf(begin));
  const atEnd = ran.filter((pair) => endOf(pair) >= last);
  const met = own
    .flatMap((pair) => pair.met)
    .filter((one) => isPast(one, given.today) && monthOf(dayOf(one.day)) === month);
  const attended = met.filter((one) => held(one) && one.mentor === 'attended');
  return {
    mentorships: ran.length,
    atEnd: atEnd.length,
    paused: atEnd.filter((pair) => pausedOn(given, pair, last)).length,
    held: attended.length,
    unknown: met.filter((one) => one.what === 'unknown' || (held(one) && one.mentor === 'unknown')).length,
    minutes: attended.reduce((sum, one) => sum + one.minutes, 0),
  };
}
