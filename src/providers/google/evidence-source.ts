import { DateTime } from 'luxon';
import { dashedMeetCode } from '../../domain/conference-link.ts';
import type { ConferenceParticipant, ConferenceRecord, Harvest } from '../../domain/conference-record.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Instant } from '../../domain/observation.ts';
import type { EvidenceSource } from '../../ports/evidence-source.ts';
import type { Apis, Call, GoogleClient, Identity, SendOptions } from './client.ts';
import type { Directory } from './directory.ts';
import { malformedAnswer } from './failures.ts';
import {
  type MeetPage,
  readConferenceRecords,
  readParticipantSessions,
  readParticipants,
  type WireConferenceRecord,
  type WireParticipant,
} from './wire.ts';

const DAY_MS = 86_400_000;
/** A call lasts at most 24 hours, so one that reaches into the window began no earlier. */
const LONGEST_CALL_MS = DAY_MS;
/** Google deletes a conference record 30 days after the call ended. */
const KEPT_MS = 30 * DAY_MS;
/** A conference with more pages than this is none of ours. */
const MAX_PAGES = 50;

/**
 * Reads Meet's conference records in the name of the organizer, the only person Google answers
 * (https://developers.google.com/workspace/meet/api/guides/conferences).
 * @param now the business clock: it decides whether Google can still have a record
 */
export function createEvidenceSource(
  client: GoogleClient,
  directory: Directory,
  now: () => Instant,
): EvidenceSource {
  async function entries<T>(
    subject: string,
    operation: string,
    send: (
      apis: Apis,
      identity: Identity & { pageToken?: string },
      options: SendOptions,
    ) => ReturnType<Call<T>['send']>,
    read: (body: unknown) => MeetPage<T>,
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    const all: T[] = [];
    let place: { pageToken?: string } = {};
    for (let fetched = 0; fetched < MAX_PAGES; fetched++) {
      const page: MeetPage<T> = await client.perform<MeetPage<T>>(
        {
          operation,
          purpose: 'meet',
          subject,
          send: (apis, identity, options) => send(apis, { ...identity, ...place }, options),
          read,
        },
        signal,
      );
      all.push(...page.entries);
      if (page.nextPageToken === null) return all;
      place = { pageToken: page.nextPageToken };
    }
    throw malformedAnswer(operation, `more than ${MAX_PAGES} pages`);
  }

  async function participantOf(
    organizer: string,
    found: WireParticipant,
    recordEnd: Instant | null,
    signal: AbortSignal,
  ): Promise<ConferenceParticipant> {
    const sessions = await entries(
      organizer,
      'participantSessions.list',
      (apis, identity, options) =>
        apis.meet.conferenceRecords.participants.participantSessions.list(
          { parent: found.name, pageSize: 250, ...identity },
          options,
        ),
      readParticipantSessions,
      signal,
    );
    const spans = sessions.map((session) => [session.startTime, session.endTime] as const);
    const known = spans.length > 0 ? spans : [[found.earliestStartTime, found.latestEndTime] as const];
    const intervals = known.flatMap(([from, until]) => {
      if (!from) return [];
      // Once the call is over nobody is in it, whatever a session still says.
      return [{ from: instantOf(from), until: until ? instantOf(until) : recordEnd }];
    });
    return { ...(await identityOf(organizer, found, signal)), intervals };
  }

  async function identityOf(organizer: string, found: WireParticipant, signal: AbortSignal) {
    const user = found.signedinUser;
    if (user?.user) {
      const named = await directory.addressesOf(user.user, organizer, signal);
      return {
        kind: 'user',
        providerUserId: user.user,
        displayName: user.displayName ?? null,
        ...named,
      } as const;
    }
    const kind = found.phoneUser ? ('phone' as const) : ('anonymous' as const);
    const displayName = (user ?? found.phoneUser ?? found.anonymousUser)?.displayName ?? null;
    return { kind, providerUserId: null, addresses: [], displayName };
  }

  async function recordOf(
    organizer: string,
    found: WireConferenceRecord,
    signal: AbortSignal,
  ): Promise<ConferenceRecord> {
    const until = found.endTime ? instantOf(found.endTime) : null;
    const participants = await entries(
      organizer,
      'participants.list',
      (apis, identity, options) =>
        apis.meet.conferenceRecords.participants.list(
          { parent: found.name, pageSize: 250, ...identity },
          options,
        ),
      readParticipants,
      signal,
    );
    // A call is recorded because somebody joined it. An empty list is an answer that got lost on the way, and would
    // prove everybody absent.
    if (participants.length === 0) throw malformedAnswer('participants.list', 'a call that nobody was in');
    return {
      recordId: found.name,
      from: instantOf(found.startTime),
      until,
      participants: await Promise.all(
        participants.map((one) => participantOf(organizer, one, until, signal)),
      ),
    };
  }

  return {
    source: 'meet',
    async read({ organizer, conference, window }, signal) {
      const code = conference.kind === 'meet' ? dashedMeetCode(conference.key) : null;
      if (code === null) return { found: 'cannot_tell', reason: 'not_found' };
      const filter = [
        `space.meeting_code = "${code}"`,
        `start_time>="${isoOf(window.from - LONGEST_CALL_MS)}"`,
        `start_time<="${isoOf(window.until)}"`,
      ].join(' AND ');
      try {
        const listed = await entries(
          organizer,
          'conferenceRecords.list',
          (apis, identity, options) =>
            apis.meet.conferenceRecords.list({ filter, pageSize: 100, ...identity }, options),
          readConferenceRecords,
          signal,
        );
        const overlapping = listed.filter(
          (record) => !record.endTime || instantOf(record.endTime) > window.from,
        );
        if (overlapping.length > 0) {
          const records = await Promise.all(overlapping.map((record) => recordOf(organizer, record, signal)));
          return { found: 'records', records };
        }
      } catch (error) {
        return speechless(error);
      }
      if (window.until + KEPT_MS < now()) return { found: 'cannot_tell', reason: 'expired' };
      return { found: 'nothing' };
    },
  };
}

/**
 * The refusals that say this source will never speak of the meeting. Anything else is thrown on: a grant that is
 * missing today may be given while Google still holds the record.
 */
function speechless(error: unknown): Harvest {
  if (!isFailure(error)) throw error;
  // Google has no account by that address in our domain: somebody else's organizer, or one who left.
  if (error.code === 'account_unknown') return { found: 'cannot_tell', reason: 'external_organizer' };
  // A record that was listed and is refused a moment later was deleted in between.
  if (error.code === 'not_found') return { found: 'cannot_tell', reason: 'expired' };
  throw error;
}

function instantOf(text: string): Instant {
  const at = DateTime.fromISO(text, { zone: 'utc' });
  if (!at.isValid) throw malformedAnswer('conferenceRecords', 'an unreadable time');
  return at.toMillis();
}

function isoOf(instant: Instant): string {
  return DateTime.fromMillis(instant, { zone: 'utc' }).toISO() ?? '';
}
