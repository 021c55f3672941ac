import { DateTime } from 'luxon';
import type { CalendarState } from '../domain/calendar-state.ts';
import { type OutboundDraft, outboundDraft } from '../domain/drafts.ts';
import type { Provider } from '../domain/observation.ts';
import { instant } from '../domain/outbound.ts';

interface Facts {
  readonly provider: Provider;
  readonly address: string;
  readonly state: string;
}

const written = (at: Date) => instant(DateTime.fromJSDate(at, { zone: 'utc' }));

/** Tells that a calendar can no longer be read, or can be read again. */
export function calendarEventDraft(
  type: 'calendar.disconnected' | 'calendar.reconnected',
  calendar: Facts,
  now: Date,
  facts: { reason: string; last_complete_pass_at: Date | null } | { disconnected_at: Date },
): OutboundDraft {
  const base = {
    calendar: calendar.address,
    owner: calendar.address,
    provider: calendar.provider,
    state: calendar.state as CalendarState,
  };
  const key = `${type}:${calendar.provider}:${calendar.address}:${now.getTime()}`;
  if ('reason' in facts) {
    return outboundDraft('calendar.disconnected', key, now, {
      ...base,
      reason: facts.reason,
      since: written(now),
      last_complete_pass_at: facts.last_complete_pass_at && written(facts.last_complete_pass_at),
    });
  }
  return outboundDraft('calendar.reconnected', key, now, {
    ...base,
    disconnected_at: written(facts.disconnected_at),
    reconnected_at: written(now),
  });
}
