import { DateTime } from 'luxon';
import { firstStart, rulePart } from '../world/recurrence.ts';
import type { Meeting, Person } from '../world/types.ts';
import { windowsZone } from './preferences.ts';

const DAYS: Readonly<Record<string, string>> = {
  MO: 'monday',
  TU: 'tuesday',
  WE: 'wednesday',
  TH: 'thursday',
  FR: 'friday',
  SA: 'saturday',
  SU: 'sunday',
};
const INDEXES: Readonly<Record<string, string>> = {
  '1': 'first',
  '2': 'second',
  '3': 'third',
  '4': 'fourth',
  '-1': 'last',
};

/** The sentinel by which Graph says "none" where a date must stand. */
const NO_DATE = '0001-01-01';

/**
 * The zone names a mailbox shows for a meeting. What Outlook made carries Windows names; what was imported from
 * Google carries the IANA name, or in a mailbox that wraps foreign meetings no usable name at all.
 */
export function zoneNames(meeting: Meeting, reader: Person): { original: string; recurrence: string } {
  if (meeting.home === 'microsoft') {
    const name = windowsZone(meeting.zone);
    // Attendees of an all-day series get an empty zone (microsoft-graph-docs-contrib#5828).
    const blank = meeting.allDay && meeting.organizer !== reader.id;
    return { original: name, recurrence: blank ? '' : name };
  }
  return reader.foreignUid === 'wrapped'
    ? { original: 'tzone://Microsoft/Custom', recurrence: 'Customized Time Zone' }
    : { original: meeting.zone, recurrence: meeting.zone };
}

/** Graph's `patternedRecurrence` for a series; null for a single meeting. */
export function patternedRecurrence(meeting: Meeting, reader: Person): Record<string, unknown> | null {
  if (meeting.recurrence === null) return null;
  const { rule } = meeting.recurrence;
  const first = DateTime.fromMillis(firstStart(meeting), { zone: meeting.allDay ? 'utc' : meeting.zone });
  const count = rulePart(rule, 'COUNT');
  const until = rulePart(rule, 'UNTIL');
  const lastDay = until === undefined ? null : dayOfUntil(until, meeting);
  return {
    pattern: pattern(rule, first),
    range: {
      type: count !== undefined ? 'numbered' : lastDay !== null ? 'endDate' : 'noEnd',
      startDate: first.toISODate(),
      endDate: lastDay ?? NO_DATE,
      recurrenceTimeZone: zoneNames(meeting, reader).recurrence,
      numberOfOccurrences: count === undefined ? 0 : Number(count),
    },
  };
}

function pattern(rule: string, first: DateTime): Record<string, unknown> {
  const interval = Number(rulePart(rule, 'INTERVAL') ?? 1);
  const byDay = (rulePart(rule, 'BYDAY') ?? '').split(',').filter((day) => day !== '');
  const days = byDay.map((day) => DAYS[day.slice(-2)] ?? 'monday');
  const own = DAYS[Object.keys(DAYS)[first.weekday - 1] ?? 'MO'] ?? 'monday';
  const base = {
    interval,
    month: 0,
    dayOfMonth: 0,
    firstDayOfWeek: DAYS[rulePart(rule, 'WKST') ?? 'SU'] ?? 'sunday',
    index: 'first',
  };
  switch (rulePart(rule, 'FREQ') ?? 'WEEKLY') {
    case 'DAILY':
      return { type: 'daily', ...base };
    case 'MONTHLY': {
      const position = rulePart(rule, 'BYSETPOS') ?? /^(-?\d)/.exec(byDay[0] ?? '')?.[1];
      if (position !== undefined) {
        return { type: 'relativeMonthly', ...base, daysOfWeek: days, index: INDEXES[position] ?? 'first' };
      }
      return {
        type: 'absoluteMonthly',
        ...base,
        dayOfMonth: Number(rulePart(rule, 'BYMONTHDAY') ?? first.day),
      };
    }
    case 'YEARLY':
      return { type: 'absoluteYearly', ...base, month: first.month, dayOfMonth: first.day };
    default:
      return { type: 'weekly', ...base, daysOfWeek: days.length > 0 ? days : [own] };
  }
}

function dayOfUntil(until: string, meeting: Meeting): string | null {
  const zone = meeting.allDay ? 'utc' : meeting.zone;
  const format = until.length === 8 ? 'yyyyMMdd' : "yyyyMMdd'T'HHmmss'Z'";
  const at = DateTime.fromFormat(until, format, { zone: 'utc' });
  return at.isValid ? at.setZone(zone).toISODate() : null;
}
