import { createHash } from 'node:crypto';
import { TENANT_ID } from '../world/meetings.ts';
import type { Conference, ConferenceCall, Person, Presence } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Row } from './event-rows.ts';
import { refusals } from './graph-errors.ts';
import { type GraphRequest, type GraphServer, namedPerson } from './graph-server.ts';
import { contextOf, equalsLiteral } from './odata.ts';
import { stamp } from './preferences.ts';

export interface TeamsHabits {
  /** People (world keys) for whom no Teams application access policy was granted. */
  attendanceDenied: Set<string>;
  /**
   * Guests from outside the tenant who confirmed their address when they joined. Nobody else from outside is
   * known by more than the name they typed.
   */
  verifiedGuests: Set<string>;
}

type TeamsConference = Extract<Conference, { kind: 'teams' }>;

/** Adds Teams meetings and attendance: for organizers only, after a lag, the latest reports only. */
export function addMeetingRoutes(server: GraphServer, world: World, habits: TeamsHabits): void {
  server.get('/users/:user/onlineMeetings', false, (request) => {
    const organizer = allowedOrganizer(world, habits, request);
    const filter = request.query.get('$filter');
    const joinUrl = filter === undefined ? null : equalsLiteral(filter, 'JoinWebUrl');
    if (joinUrl === null) {
      throw refusals.badRequest("A filter such as JoinWebUrl eq '...' is required to find a meeting.");
    }
    const found = conferencesOf(world, organizer).find(({ conference }) => conference.joinUrl === joinUrl);
    return {
      '@odata.context': contextOf(request),
      value: found === undefined ? [] : [meetingRow(organizer, found)],
    };
  });

  server.get('/users/:user/onlineMeetings/:meeting', false, (request) => {
    const organizer = allowedOrganizer(world, habits, request);
    return meetingRow(organizer, meetingBehind(world, organizer, request));
  });

  server.get('/users/:user/onlineMeetings/:meeting/attendanceReports', false, (request) => {
    const organizer = allowedOrganizer(world, habits, request);
    const { conference } = meetingBehind(world, organizer, request);
    const reports = visibleCalls(world, conference).map((call) => ({
      ...reportRow(call),
      attendanceRecords: [],
    }));
    return { '@odata.context': contextOf(request), value: reports };
  });

  server.get('/users/:user/onlineMeetings/:meeting/attendanceReports/:report', false, (request) => {
    const call = reportBehind(world, habits, request);
    const expanded = /attendanceRecords/i.test(request.query.get('$expand') ?? '');
    return {
      '@odata.context': `${contextOf(request)}/$entity`,
      ...reportRow(call),
      attendanceRecords: expanded ? recordsOf(world, habits, call) : [],
    };
  });

  server.get(
    '/users/:user/onlineMeetings/:meeting/attendanceReports/:report/attendanceRecords',
    false,
    (request) => ({
      '@odata.context': contextOf(request),
      value: recordsOf(world, habits, reportBehind(world, habits, request)),
    }),
  );
}

interface TeamsMeeting {
  readonly conference: TeamsConference;
  readonly title: string;
  readonly createdAt: number;
}

function allowedOrganizer(world: World, habits: TeamsHabits, request: GraphRequest): Person {
  const person = namedPerson(world, request.user);
  // Teams wants the object id; a user principal name is no user to it.
  if (person === null || person.objectId !== request.user.toLowerCase())
    throw refusals.userUnknown(request.user);
  if (person.state === 'forbidden' || habits.attendanceDenied.has(person.id)) {
    throw refusals.teamsDenied(person.objectId);
  }
  return person;
}

function conferencesOf(world: World, organizer: Person): TeamsMeeting[] {
  return [...world.meetings.values()].flatMap(({ conference, organizer: owner, title, createdAt }) =>
    conference?.kind === 'teams' && owner === organizer.id ? [{ conference, title, createdAt }] : [],
  );
}

function meetingBehind(world: World, organizer: Person, request: GraphRequest): TeamsMeeting {
  const id = request.params.meeting ?? '';
  const found = conferencesOf(world, organizer).find(({ conference }) => conference.meetingId === id);
  if (found === undefined) throw refusals.teamsMissing();
  return found;
}

/** Reports that can be read now, the newest first: older ones are gone for ever once ten newer exist. */
function visibleCalls(world: World, conference: TeamsConference): ConferenceCall[] {
  return world.calls
    .filter(
      (call) =>
        !call.unrecorded &&
        call.conference?.kind === 'teams' &&
        call.conference.meetingId === conference.meetingId &&
        call.endedAt + world.habits.teamsLagMs <= world.now(),
    )
    .sort((one, other) => other.endedAt - one.endedAt)
    .slice(0, world.habits.teamsReportsKept);
}

function reportBehind(world: World, habits: TeamsHabits, request: GraphRequest): ConferenceCall {
  const organizer = allowedOrganizer(world, habits, request);
  const { conference } = meetingBehind(world, organizer, request);
  const call = visibleCalls(world, conference).find((one) => guidOf(one.id) === request.params.report);
  if (call === undefined) throw refusals.teamsMissing();
  return call;
}

function reportRow(call: ConferenceCall): Row {
  return {
    id: guidOf(call.id),
    totalParticipantCount: new Set(call.presences.map(({ who }) => JSON.stringify(who))).size,
    meetingStartDateTime: new Date(call.startedAt).toISOString(),
    meetingEndDateTime: new Date(call.endedAt).toISOString(),
  };
}

/** One record a participant: somebody on two devices is one, with the intervals of both. */
function recordsOf(world: World, habits: TeamsHabits, call: ConferenceCall): Row[] {
  const byParticipant = new Map<string, Presence[]>();
  for (const presence of call.presences.filter(({ unlisted }) => !unlisted)) {
    const key = JSON.stringify(presence.who);
    byParticipant.set(key, [...(byParticipant.get(key) ?? []), presence]);
  }
  return [...byParticipant].map(([key, presences]) => {
    const intervals = presences
      .flatMap((presence) => presence.intervals)
      .sort(([one], [other]) => one - other);
    const seconds = ([from, until]: [number, number]): number => Math.round((until - from) / 1000);
    return {
      id: guidOf(`${call.id} ${key}`),
      ...identityOf(world, habits, call, presences[0] as Presence),
      totalAttendanceInSeconds: intervals.reduce((sum, interval) => sum + seconds(interval), 0),
      registrationId: null,
      attendanceIntervals: intervals.map((interval) => ({
        joinDateTime: stamp(interval[0]),
        leaveDateTime: stamp(interval[1]),
        durationInSeconds: seconds(interval),
      })),
    };
  });
}

function identityOf(world: World, habits: TeamsHabits, call: ConferenceCall, { who }: Presence): Row {
  const role = 'person' in who && who.person === call.organizer ? 'Organizer' : 'Attendee';
  const unknown = (displayName: string): Row => ({
    emailAddress: null,
    role,
    identity: { id: null, displayName, tenantId: null },
  });
  if ('phone' in who) return unknown(who.phone);
  if ('anonymous' in who) return unknown(who.anonymous);
  const person = world.person(who.person);
  const emailAddress = person.addresses[0] ?? null;
  if (person.provider === 'microsoft') {
    const identity = { id: person.objectId, displayName: person.name, tenantId: TENANT_ID };
    return { emailAddress, role: role === 'Attendee' ? 'Presenter' : role, identity };
  }
  return habits.verifiedGuests.has(person.id)
    ? {
        emailAddress,
        role,
        identity: { id: guidOf(`guest ${person.id}`), displayName: person.name, tenantId: null },
      }
    : unknown(`${person.name} (Guest)`);
}

function meetingRow(organizer: Person, meeting: TeamsMeeting): Row {
  const { conference } = meeting;
  return {
    id: conference.meetingId,
    creationDateTime: stamp(meeting.createdAt),
    startDateTime: stamp(meeting.createdAt),
    endDateTime: stamp(meeting.createdAt + 3_600_000),
    joinWebUrl: conference.joinUrl,
    subject: meeting.title,
    isEntryExitAnnounced: true,
    allowedPresenters: 'everyone',
    chatInfo: { threadId: conference.threadId, messageId: '0', replyChainMessageId: null },
    participants: {
      organizer: {
        upn: organizer.addresses[0] ?? null,
        role: 'presenter',
        identity: {
          user: {
            id: organizer.objectId,
            displayName: null,
            tenantId: TENANT_ID,
            identityProvider: 'AAD',
          },
        },
      },
      attendees: [],
    },
    lobbyBypassSettings: { scope: 'organization', isDialInBypassEnabled: false },
  };
}

/** A GUID that always stands for the same thing. */
function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
