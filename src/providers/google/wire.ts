import { z } from 'zod';
import { malformedAnswer } from './failures.ts';

/**
 * What is read of Google's answers: only the fields in use, each allowed to be absent or null, so that an addition
 * or a blank on Google's side breaks nothing. https://developers.google.com/workspace/calendar/api/v3/reference/events
 */
const text = z.string().nullish();
const flag = z.boolean().nullish();

const wireTime = z.object({ date: text, dateTime: text, timeZone: text });
export type WireTime = z.infer<typeof wireTime>;

const wireAttendee = z.object({
  email: text,
  displayName: text,
  organizer: flag,
  self: flag,
  resource: flag,
  optional: flag,
  responseStatus: text,
});

const wireConferenceData = z.object({
  conferenceId: text,
  conferenceSolution: z.object({ key: z.object({ type: text }).nullish() }).nullish(),
  entryPoints: z.array(z.object({ uri: text })).nullish(),
});

const properties = z.record(z.string(), z.string()).nullish();

export const wireEvent = z.object({
  id: z.string().min(1),
  status: text,
  etag: text,
  updated: text,
  iCalUID: text,
  summary: text,
  description: text,
  location: text,
  start: wireTime.nullish(),
  end: wireTime.nullish(),
  recurrence: z.array(z.string()).nullish(),
  recurringEventId: text,
  originalStartTime: wireTime.nullish(),
  organizer: z.object({ email: text, self: flag }).nullish(),
  attendees: z.array(wireAttendee).nullish(),
  attendeesOmitted: flag,
  guestsCanSeeOtherGuests: flag,
  visibility: text,
  eventType: text,
  hangoutLink: text,
  conferenceData: wireConferenceData.nullish(),
  extendedProperties: z.object({ private: properties, shared: properties }).nullish(),
});
export type WireEvent = z.infer<typeof wireEvent>;

/** The same fields as Google's `fields` parameter: what is not asked for (attachments, notes) never leaves Google. */
export const EVENT_FIELDS = [
  'id,status,etag,updated,iCalUID,summary,description,location,start,end',
  'recurrence,recurringEventId,originalStartTime,organizer(email,self)',
  'attendees(email,displayName,organizer,self,resource,optional,responseStatus)',
  'attendeesOmitted,guestsCanSeeOtherGuests,visibility,eventType,hangoutLink',
  'conferenceData(conferenceId,conferenceSolution,entryPoints),extendedProperties',
].join(',');
export const PAGE_FIELDS = `kind,nextPageToken,nextSyncToken,timeZone,accessRole,items(${EVENT_FIELDS})`;

const wirePage = z.object({
  kind: z.literal('calendar#events'),
  nextPageToken: text,
  nextSyncToken: text,
  timeZone: text,
  accessRole: text,
  items: z.array(z.unknown()).nullish(),
});

/** A page that is what it claims to be. Its items are not looked at yet: one odd event must not lose the others. */
export interface EventsPage {
  readonly items: readonly unknown[];
  readonly nextPageToken: string | null;
  readonly nextSyncToken: string | null;
  readonly timeZone: string | null;
  readonly accessRole: string | null;
}

/**
 * Reads a page of `events.list` or `events.instances`. The client library hands over a cut-off answer as a text with
 * status 200, and reading that as "no events" would cancel a calendar.
 * @param syncs a page of a list that may begin a token stream, and so carries exactly one of its two tokens
 * @throws Failure `transient`/`malformed_answer`
 */
export function readEventsPage(body: unknown, operation: string, syncs: boolean): EventsPage {
  const parsed = wirePage.safeParse(body);
  if (!parsed.success) throw malformedAnswer(operation, 'no list of events');
  const page = parsed.data;
  const nextPageToken = page.nextPageToken || null;
  const nextSyncToken = page.nextSyncToken || null;
  if (nextPageToken !== null && nextSyncToken !== null) throw malformedAnswer(operation, 'two tokens');
  if (syncs && nextPageToken === null && nextSyncToken === null) throw malformedAnswer(operation, 'no token');
  return {
    items: page.items ?? [],
    nextPageToken,
    nextSyncToken,
    timeZone: page.timeZone ?? null,
    accessRole: page.accessRole ?? null,
  };
}

const conferenceRecord = z.object({ name: z.string().min(1), startTime: z.string(), endTime: text });
const participant = z.object({
  name: z.string().min(1),
  signedinUser: z.object({ user: text, displayName: text }).nullish(),
  anonymousUser: z.object({ displayName: text }).nullish(),
  phoneUser: z.object({ displayName: text }).nullish(),
  earliestStartTime: text,
  latestEndTime: text,
});
const participantSession = z.object({ startTime: z.string(), endTime: text });

export type WireConferenceRecord = z.infer<typeof conferenceRecord>;
export type WireParticipant = z.infer<typeof participant>;
export type WireParticipantSession = z.infer<typeof participantSession>;

/** A page of one of Meet's lists. Meet leaves out what is empty, so `{}` is a list without entries. */
export interface MeetPage<T> {
  readonly entries: readonly T[];
  readonly nextPageToken: string | null;
}

function meetPage<T>(body: unknown, operation: string, entry: z.ZodType<T>, name: string): MeetPage<T> {
  const parsed = z.looseObject({ nextPageToken: text }).safeParse(body);
  const entries = parsed.success ? z.array(entry).safeParse(parsed.data[name] ?? []) : parsed;
  if (!parsed.success || !entries.success) throw malformedAnswer(operation, `no list of ${name}`);
  return { entries: entries.data as readonly T[], nextPageToken: parsed.data.nextPageToken || null };
}

export const readConferenceRecords = (body: unknown): MeetPage<WireConferenceRecord> =>
  meetPage(body, 'conferenceRecords.list', conferenceRecord, 'conferenceRecords');
export const readParticipants = (body: unknown): MeetPage<WireParticipant> =>
  meetPage(body, 'participants.list', participant, 'participants');
export const readParticipantSessions = (body: unknown): MeetPage<WireParticipantSession> =>
  meetPage(body, 'participantSessions.list', participantSession, 'participantSessions');

const directoryUser = z.object({
  primaryEmail: z.string().min(1),
  aliases: z.array(z.string()).nullish(),
  nonEditableAliases: z.array(z.string()).nullish(),
});

/** Every address of a Directory user as Google writes it, the primary one first. */
export function readDirectoryAddresses(body: unknown): readonly string[] {
  const parsed = directoryUser.safeParse(body);
  if (!parsed.success) throw malformedAnswer('users.get', 'no user');
  const { primaryEmail, aliases, nonEditableAliases } = parsed.data;
  return [primaryEmail, ...(aliases ?? []), ...(nonEditableAliases ?? [])];
}

/** Reads the answer of `events.get`. @throws Failure `transient`/`malformed_answer` */
export function readEvent(body: unknown): WireEvent {
  const parsed = wireEvent.safeParse(body);
  if (!parsed.success) throw malformedAnswer('events.get', 'no event');
  return parsed.data;
}

const wireChannel = z.object({
  id: z.string().min(1),
  resourceId: z.string().min(1),
  expiration: z.string(),
});

/** Reads the answer of `events.watch`: `expiration` is a text of milliseconds, and it decides, not what was asked. */
export function readChannel(body: unknown, channelId: string) {
  const parsed = wireChannel.safeParse(body);
  const expiresAt = Number(parsed.data?.expiration);
  if (!parsed.success || parsed.data.id !== channelId || !Number.isSafeInteger(expiresAt)) {
    throw malformedAnswer('events.watch', 'no channel');
  }
  return { externalId: parsed.data.id, resourceId: parsed.data.resourceId, expiresAt };
}

const wireParameter = z.object({
  name: z.string(),
  value: text,
  // int64 comes as a text.
  intValue: z.union([z.string(), z.number()]).nullish(),
  boolValue: flag,
});
const wireActivity = z.object({
  id: z.object({ time: z.string(), uniqueQualifier: text }),
  actor: z.object({ email: text, profileId: text }).nullish(),
  events: z
    .array(z.object({ name: z.string(), parameters: z.array(wireParameter).nullish() }))
    .nullish()
    .transform((events) =>
      (events ?? []).map(({ name, parameters }) => ({
        name,
        parameters: new Map(
          (parameters ?? []).flatMap((one) => {
            const value = one.value ?? one.intValue ?? one.boolValue;
            return value === null || value === undefined ? [] : [[one.name, String(value)] as const];
          }),
        ),
      })),
    ),
});
export type WireActivity = z.infer<typeof wireActivity>;

const wireActivities = z.object({
  kind: z.literal('admin#reports#activities'),
  nextPageToken: text,
  items: z.array(wireActivity).nullish(),
});

/** Reads a page of the Reports API's log. A page without entries has no list at all. */
export function readActivities(body: unknown): {
  readonly entries: readonly WireActivity[];
  readonly nextPageToken: string | null;
} {
  const parsed = wireActivities.safeParse(body);
  if (!parsed.success) throw malformedAnswer('activities.list', 'no list of activities');
  return { entries: parsed.data.items ?? [], nextPageToken: parsed.data.nextPageToken || null };
}
