import type { Window } from '../../domain/observation.ts';
import type { CalendarRef } from '../../ports/calendar-source.ts';
import { queryTime } from './time.ts';

/** Where a mailbox's events are asked for: path and query below the version, encoded. */

const PAGE_SIZE = 100;

type Mailbox = Pick<CalendarRef, 'address'>;

/** The default calendar by its path: stored calendar ids have been seen to change. */
export function userPath(calendar: Mailbox): string {
  return `/users/${encodeURIComponent(calendar.address)}`;
}

export function eventPath(calendar: Mailbox, id: string): string {
  return `${userPath(calendar)}/events/${encodeURIComponent(id)}`;
}

/**
 * Without `$select` unless a caller adds one: calendarView's documentation says that `lastModifiedDateTime`
 * comes only without it (https://learn.microsoft.com/graph/api/calendar-list-calendarview).
 */
export function viewPath(calendar: CalendarRef, window: Window, pageSize: number = PAGE_SIZE): string {
  return `${userPath(calendar)}/calendarView?${bounds(window)}&$top=${pageSize}`;
}

export function bounds({ from, until }: Window): string {
  return `startDateTime=${queryTime(from)}&endDateTime=${queryTime(until)}`;
}
