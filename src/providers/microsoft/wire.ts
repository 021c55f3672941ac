import { z } from 'zod';
import { unreadable } from './failures.ts';

/**
 * What is read of Graph's answers, and no more. Everything may be null or absent: stubs carry five fields, full
 * rows write null for what they lack, and enumerations grow.
 */
const text = z.string().nullish();
const flag = z.boolean().nullish();

const dateTimeTimeZone = z.object({ dateTime: z.string(), timeZone: text });

const recipient = z.object({ emailAddress: z.object({ name: text, address: text }).nullish() });

const attendee = recipient.extend({ type: text, status: z.object({ response: text }).nullish() });

const location = z.object({ displayName: text, locationUri: text });

/** https://learn.microsoft.com/graph/api/resources/event */
export const wireEvent = z.object({
  id: z.string().min(1),
  '@odata.etag': text,
  '@removed': z.object({ reason: text }).nullish(),
  changeKey: text,
  type: text,
  seriesMasterId: text,
  iCalUId: text,
  subject: text,
  body: z.object({ contentType: text, content: text }).nullish(),
  categories: z.array(z.string()).nullish().catch(null),
  start: dateTimeTimeZone.nullish(),
  end: dateTimeTimeZone.nullish(),
  originalStart: text,
  originalStartTimeZone: text,
  recurrence: z.object({ range: z.object({ recurrenceTimeZone: text }).nullish().catch(null) }).nullish(),
  isAllDay: flag,
  isCancelled: flag,
  isDraft: flag,
  isOrganizer: flag,
  organizer: recipient.nullish(),
  attendees: z.array(attendee).nullish(),
  hideAttendees: flag,
  responseStatus: z.object({ response: text }).nullish(),
  sensitivity: text,
  onlineMeeting: z.object({ joinUrl: text }).nullish(),
  onlineMeetingUrl: text,
  location: location.nullish().catch(null),
  locations: z.array(location).nullish().catch(null),
  lastModifiedDateTime: text,
});
export type WireEvent = z.infer<typeof wireEvent>;

/** Every field of `wireEvent` that `$select` may name. */
export const EVENT_FIELDS = Object.keys(wireEvent.shape)
  .filter((name) => !name.startsWith('@'))
  .join(',');

/** A series' master as one asks for it alone: only then does Graph tell which occurrences are no more. */
export const wireMaster = wireEvent.extend({ cancelledOccurrences: z.array(z.string()).nullish() });
export type WireMaster = z.infer<typeof wireMaster>;
export const MASTER_FIELDS = `${EVENT_FIELDS},cancelledOccurrences`;

/** https://learn.microsoft.com/graph/api/resources/subscription */
export const wireSubscription = z.object({
  id: z.string().min(1),
  resource: text,
  notificationUrl: text,
  expirationDateTime: z.string(),
});
export type WireSubscription = z.infer<typeof wireSubscription>;

const wirePage = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().min(1).optional(),
  '@odata.deltaLink': z.string().min(1).optional(),
});
export type WirePage = z.infer<typeof wirePage>;

export const wireUser = z.object({
  id: z.string().min(1),
  mail: text,
  userPrincipalName: text,
  proxyAddresses: z.array(z.string()).nullish(),
});
export type WireUser = z.infer<typeof wireUser>;

export const wireMeeting = z.object({ id: z.string().min(1) });

/** https://learn.microsoft.com/graph/api/resources/attendancerecord */
export const wireAttendanceRecord = z.object({
  emailAddress: text,
  totalAttendanceInSeconds: z.number().nullish(),
  identity: z.object({ '@odata.type': text, id: text, displayName: text, tenantId: text }).nullish(),
  attendanceIntervals: z
    .array(
      z
        .object({ joinDateTime: text, leaveDateTime: text, durationInSeconds: z.number().nullish() })
        .nullish(),
    )
    .nullish(),
});
export type WireAttendanceRecord = z.infer<typeof wireAttendanceRecord>;

/** A report as the list of reports shows it: without records. */
export const wireReport = z.object({
  id: z.string().min(1),
  meetingStartDateTime: text,
  meetingEndDateTime: text,
});
export type WireReport = z.infer<typeof wireReport>;

export const wireReportInFull = wireReport.extend({
  totalParticipantCount: z.number().nullish(),
  attendanceRecords: z.array(wireAttendanceRecord),
  'attendanceRecords@odata.nextLink': z.string().min(1).optional(),
});

/**
 * A page of a listing.
 * @throws Failure `transient`/`unreadable_answer` where there is no list: half an answer is not "no events"
 */
export function pageOf(body: unknown): WirePage {
  const page = wirePage.safeParse(body);
  if (!page.success) throw unreadable('no page');
  return page.data;
}

/** A page of a delta round, which always says where the round goes on or that it ended. @throws as `pageOf` */
export function deltaPageOf(body: unknown): WirePage {
  const page = pageOf(body);
  const links = [page['@odata.nextLink'], page['@odata.deltaLink']].filter((link) => link !== undefined);
  if (links.length !== 1) throw unreadable('a delta page without its link');
  return page;
}

/** One resource. @throws Failure `transient`/`unreadable_answer` where the body is something else */
export function resourceOf<T>(schema: z.ZodType<T>, body: unknown): T {
  const resource = schema.safeParse(body);
  if (!resource.success) throw unreadable('not the resource asked for');
  return resource.data;
}
