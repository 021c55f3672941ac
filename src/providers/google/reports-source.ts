import { DateTime } from 'luxon';
import { dashedMeetCode } from '../../domain/conference-link.ts';
import type { ConferenceParticipant, ConferenceRecord } from '../../domain/conference-record.ts';
import { failure, isFailure } from '../../domain/failure.ts';
import type { Instant } from '../../domain/observation.ts';
import type { EvidenceSource } from '../../ports/evidence-source.ts';
import type { GoogleClient } from './client.ts';
import { malformedAnswer } from './failures.ts';
import { mailDomain, normalisedAddress } from './reading.ts';
import { readActivities, type WireActivity } from './wire.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A call lasts at most 24 hours, and is told when an endpoint leaves it. */
const LONGEST_CALL_MS = DAY_MS;
/** Entries were seen to come an hour late and more; what is this old is taken to be complete. */
const COMPLETE_AFTER_MS = 6 * HOUR_MS;
/** A day's log is read again until it is this old: that is the watermark, and every reading overlaps the last. */
const DAY_FINAL_AFTER_MS = 2 * DAY_MS;
/** Meetings that fall due together share one reading of the log. */
const FRESH_MS = 10 * MINUTE_MS;
/** Google keeps the log for 180 days: https://support.google.com/a/answer/7061566 */
const KEPT_MS = 180 * DAY_MS;
/**
 * Stands in the place of an account where somebody has none. Taken for one, it would make everybody outside one person:
 * https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
 */
const NO_PROFILE = '105250506097979753968';
const DAYS_REMEMBERED = 6;
const MAX_PAGES = 500;

/** Somebody's stay in a call, as the log tells it when they leave. */
interface Endpoint {
  /** The log entry's own name: the same entry read twice is one. */
  readonly key: string;
  readonly conferenceId: string;
  readonly from: Instant;
  readonly until: Instant;
  readonly kind: ConferenceParticipant['kind'];
  readonly account: string | null;
  readonly address: string | null;
  readonly displayName: string | null;
  /** Who made the meeting, by their address; `null` where the log does not say. */
  readonly organizer: string | null;
  /** The calendar's id of the event, of a series that of the occurrence. */
  readonly eventId: string | null;
  /** The participant is of our organisation, by the log's own word. */
  readonly isOurs: boolean;
}

interface LogOfDay {
  readonly readAt: Instant;
  /** By the ten letters of the meeting code. */
  readonly byCode: ReadonlyMap<string, readonly Endpoint[]>;
  /** Mail domains that the log shows to be our organisation's. */
  readonly domains: ReadonlySet<string>;
}

/**
 * Reads who was in a call from the administrator's log of Meet (Reports API, event `call_ended`). It knows the
 * addresses that Meet itself never names, outlives Meet's thirty days, and sees every organizer of the domain; but
 * it is late. It is read by the day and for the whole domain, because filtered questions have a tenth of the quota,
 * and how a meeting code is written in a filter is not told.
 * https://developers.google.com/workspace/admin/reports/v1/appendix/activity/meet
 * @param adminSubject an administrator with the privilege to read reports
 * @param isOurDomain whether a mail domain is known to be the organisation's, beside what the log shows
 * @param now the business clock
 */
export function createReportsSource(
  client: GoogleClient,
  adminSubject: string,
  isOurDomain: (domain: string) => boolean,
  now: () => Instant,
): EvidenceSource {
  const days = new Map<Instant, Promise<LogOfDay>>();

  async function readDay(day: Instant, signal: AbortSignal): Promise<LogOfDay> {
    const readAt = now();
    const entries = new Map<string, { readonly code: string; readonly endpoint: Endpoint }>();
    let pageToken: string | null = null;
    for (let page = 0; ; page += 1) {
      if (page === MAX_PAGES) throw malformedAnswer('activities.list', `more than ${MAX_PAGES} pages`);
      const place: { pageToken?: string } = pageToken === null ? {} : { pageToken };
      const answer: ReturnType<typeof readActivities> = await client.perform(
        {
          operation: 'activities.list',
          purpose: 'reports',
          subject: adminSubject,
          send: (apis, identity, options) =>
            apis.reports.activities.list(
              {
                userKey: 'all',
                applicationName: 'meet',
                eventName: 'call_ended',
                startTime: isoOf(day),
                // An end in the future is refused.
                endTime: isoOf(Math.min(day + DAY_MS, readAt)),
                maxResults: 1000,
                ...identity,
                ...place,
              },
              options,
            ),
          read: readActivities,
        },
        signal,
      );
      for (const activity of answer.entries) {
        for (const found of endpointsOf(activity)) entries.set(found.endpoint.key, found);
      }
      pageToken = answer.nextPageToken;
      if (pageToken === null) break;
    }
    const byCode = new Map<string, Endpoint[]>();
    for (const { code, endpoint } of entries.values()) {
      byCode.set(code, [...(byCode.get(code) ?? []), endpoint]);
    }
    const domains = [...entries.values()].flatMap(({ endpoint: { isOurs, address } }) =>
      isOurs && address !== null ? [mailDomain(address)] : [],
    );
    return { readAt, byCode, domains: new Set(domains) };
  }

  async function readDayOrRefusal(day: Instant, signal: AbortSignal): Promise<LogOfDay> {
    try {
      return await readDay(day, signal);
    } catch (problem) {
      // Of the administrator an account that is not there is a wrong setting, which a person can mend.
      if (!isFailure(problem) || problem.code !== 'account_unknown') throw problem;
      throw failure.config('admin_unknown', { provider: 'google', detail: 'CADENCED_GOOGLE_ADMIN_SUBJECT' });
    }
  }

  async function logOf(day: Instant, signal: AbortSignal): Promise<LogOfDay> {
    const known = days.get(day);
    if (known !== undefined) {
      // Whoever fails, fails for those who share the reading; the next one reads again.
      const log = await known;
      if (log.readAt >= day + DAY_MS + DAY_FINAL_AFTER_MS || now() - log.readAt < FRESH_MS) return log;
      if (days.get(day) !== known) return logOf(day, signal);
    }
    const reading = readDayOrRefusal(day, signal);
    days.delete(day);
    days.set(day, reading);
    reading.catch(() => {
      if (days.get(day) === reading) days.delete(day);
    });
    for (const oldest of days.keys()) {
      if (days.size <= DAYS_REMEMBERED) break;
      days.delete(oldest);
    }
    return reading;
  }

  return {
    source: 'reports',
    async read({ conference, window, eventIds = [] }, signal) {
      const code = conference.kind === 'meet' ? dashedMeetCode(conference.key) : null;
      if (code === null) return { found: 'cannot_tell', reason: 'not_found' };
      const wanted = code.replaceAll('-', '');
      const at = now();
      if (window.until + KEPT_MS < at) return { found: 'cannot_tell', reason: 'expired' };
      const endpoints = new Map<string, Endpoint>();
      const domains = new Set<string>();
      const last = Math.min(window.until + LONGEST_CALL_MS, at);
      for (let day = dayOf(window.from); day <= last; day += DAY_MS) {
        const log = await logOf(day, signal);
        for (const domain of log.domains) domains.add(domain);
        for (const endpoint of log.byCode.get(wanted) ?? []) endpoints.set(endpoint.key, endpoint);
      }
      const calls = Map.groupBy(endpoints.values(), ({ conferenceId }) => conferenceId);
      const isOurs = (domain: string) => domains.has(domain) || isOurDomain(domain);
      const records = [...calls]
        .map(([conferenceId, stays]) => recordOf(conferenceId, stays, isOurs, at))
        .filter(
          (record) =>
            eventIds.includes(record.eventId ?? '') ||
            (record.from < window.until && (record.until ?? at) > window.from),
        );
      return records.length > 0 ? { found: 'records', records } : { found: 'nothing' };
    },
  };
}

/** Until everybody's leaving can have been told, the call counts as open: half a list must prove no absence. */
function recordOf(
  conferenceId: string,
  stays: readonly Endpoint[],
  isOurs: (domain: string) => boolean,
  now: Instant,
): ConferenceRecord {
  const until = Math.max(...stays.map((stay) => stay.until));
  const people = Map.groupBy(stays, (stay) => stay.account ?? stay.address ?? stay.key);
  const participants = [...people.values()].map((its): ConferenceParticipant => {
    const [first] = its as [Endpoint, ...Endpoint[]];
    return {
      kind: first.kind,
      providerUserId: first.account,
      addresses: first.address === null ? [] : [first.address],
      displayName: first.displayName,
      intervals: its
        .map(({ from, until: left }) => ({ from, until: left }))
        .toSorted((a, b) => a.from - b.from),
    };
  });
  const firstJoin = (who: ConferenceParticipant) => who.intervals[0]?.from ?? 0;
  return {
    recordId: `reports/${conferenceId}`,
    from: Math.min(...stays.map((stay) => stay.from)),
    until: until + COMPLETE_AFTER_MS <= now ? until : null,
    participants: participants.toSorted((one, other) => firstJoin(one) - firstJoin(other)),
    eventId: eventIdOf(stays),
    partial: !isOrganizedHere(stays, isOurs),
  };
}

/** The one event that the entries of a call name; people who came by different ones settle nothing. */
function eventIdOf(stays: readonly Endpoint[]): string | null {
  const ids = new Set(stays.flatMap(({ eventId }) => (eventId === null ? [] : [eventId])));
  const [id = null] = ids.size === 1 ? ids : [];
  return id;
}

/**
 * Of a call that was organized elsewhere our log shows our own people for sure and nobody else. Where it does not say
 * who organized, it may have been.
 */
function isOrganizedHere(stays: readonly Endpoint[], isOurs: (domain: string) => boolean): boolean {
  const organizers = stays.flatMap(({ organizer }) => (organizer === null ? [] : [organizer]));
  return organizers.length > 0 && organizers.every((organizer) => isOurs(mailDomain(organizer)));
}

function endpointsOf(activity: WireActivity): { code: string; endpoint: Endpoint }[] {
  const at = DateTime.fromISO(activity.id.time, { zone: 'utc' });
  if (!at.isValid) throw malformedAnswer('activities.list', 'an unreadable time');
  return activity.events.flatMap(({ name, parameters }) => {
    // A parameter that the server does not know is ignored in silence, so what it sends is looked at here.
    if (name !== 'call_ended') return [];
    const text = (key: string) => parameters.get(key) ?? null;
    const code = text('meeting_code')?.replaceAll('-', '').toLowerCase();
    const conferenceId = text('conference_id');
    if (!code || conferenceId === null) return [];
    const until = at.toMillis();
    const duration = Number(text('duration_seconds') ?? 0) * 1000;
    const began = Number(text('start_timestamp_seconds') ?? Number.NaN) * 1000;
    const from =
      Number.isFinite(began) && began > 0 ? began : until - (Number.isFinite(duration) ? duration : 0);
    const address = text('identifier_type') === 'email_address' ? text('identifier') : null;
    const organizer = text('organizer_email');
    const given = activity.actor?.profileId ?? null;
    const profile = given === NO_PROFILE ? null : given;
    const kind = kindOf(text('device_type') ?? '', text('identifier_type'), address);
    const endpoint: Endpoint = {
      key: [activity.id.time, activity.id.uniqueQualifier ?? '', text('endpoint_id') ?? ''].join(' '),
      conferenceId,
      from,
      until,
      kind,
      // The log's profile id is the number that Meet calls users/<id>: met with an address, it names later guests.
      account: kind === 'user' && profile !== null ? `users/${profile}` : null,
      address: kind === 'user' && address !== null ? normalisedAddress(address) : null,
      displayName: text('display_name'),
      organizer: organizer === null ? null : normalisedAddress(organizer),
      eventId: text('calendar_event_id'),
      isOurs: text('is_external') === 'false',
    };
    return [{ code, endpoint }];
  });
}

function kindOf(device: string, identifierType: string | null, address: string | null): Endpoint['kind'] {
  if (identifierType === 'phone_number' || device.startsWith('pstn')) return 'phone';
  if (identifierType === 'device_id' || device === 'chromebox' || device === 'meet_hardware') return 'room';
  return address === null ? 'anonymous' : 'user';
}

function dayOf(instant: Instant): Instant {
  return Math.floor(instant / DAY_MS) * DAY_MS;
}

function isoOf(instant: Instant): string {
  return DateTime.fromMillis(instant, { zone: 'utc' }).toISO() ?? '';
}
