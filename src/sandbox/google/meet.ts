import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { participantKey } from '../world/calls.ts';
import { createRandom, DIGITS } from '../world/random.ts';
import type { ConferenceCall, Presence } from '../world/types.ts';
import { authorise } from './access.ts';
import type { GoogleContext } from './context.ts';
import { meetError } from './errors.ts';
import { readMeetFilter } from './meet-filter.ts';

interface RecordPath {
  record: string;
}
interface ParticipantPath extends RecordPath {
  participant: string;
}
interface PageQuery {
  filter?: string;
  pageSize?: string;
  pageToken?: string;
}

/** Meet REST v2: records of calls, who was in them and when. Lists that are empty come without their name. */
export function registerMeet(app: FastifyInstance, context: GoogleContext): void {
  app.get<{ Querystring: PageQuery }>('/v2/conferenceRecords', async (request, reply) => {
    const filter = readMeetFilter(request.query.filter ?? '');
    if (filter === null) {
      return meetError(reply, 400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
    }
    const records = readable(context, request)
      .filter((call) => filter(filterable(context, call)))
      .sort((one, other) => other.startedAt - one.startedAt)
      .map((call) => recordResource(context, call));
    return page(context, reply, 'conferenceRecords', records, request.query, 25, 100);
  });

  app.get<{ Params: RecordPath }>('/v2/conferenceRecords/:record', async (request, reply) => {
    const call = findCall(context, request, request.params.record);
    return call === undefined ? notFound(reply) : recordResource(context, call);
  });

  app.get<{ Params: RecordPath; Querystring: PageQuery }>(
    '/v2/conferenceRecords/:record/participants',
    async (request, reply) => {
      const call = findCall(context, request, request.params.record);
      if (call === undefined) return notFound(reply);
      const all = participantsOf(context, call).map(({ resource }) => resource);
      return page(context, reply, 'participants', all, request.query, 100, 250);
    },
  );

  app.get<{ Params: ParticipantPath; Querystring: PageQuery }>(
    '/v2/conferenceRecords/:record/participants/:participant/participantSessions',
    async (request, reply) => {
      const call = findCall(context, request, request.params.record);
      const wanted = `conferenceRecords/${call?.id ?? ''}/participants/${request.params.participant}`;
      const participant =
        call && participantsOf(context, call).find(({ resource }) => resource.name === wanted);
      if (call === undefined || participant === undefined) return notFound(reply);
      const sessions = participant.intervals.map(([from, until], index) => ({
        name: `${wanted}/participantSessions/${index + 1}`,
        startTime: iso(from),
        ...(until === null ? {} : { endTime: iso(until) }),
      }));
      return page(context, reply, 'participantSessions', sessions, request.query, 100, 250);
    },
  );

  app.get<{ Params: { space: string } }>('/v2/spaces/:space', async (request, reply) => {
    const reader = authorise(context, request, 'meet');
    const wanted = request.params.space.toLowerCase();
    for (const meeting of context.world.meetings.values()) {
      const { conference } = meeting;
      if (conference?.kind !== 'meet') continue;
      if (conference.code !== wanted && conference.space.toLowerCase() !== `spaces/${wanted}`) continue;
      if (meeting.organizer !== reader?.id) {
        return meetError(
          reply,
          403,
          'PERMISSION_DENIED',
          'Permission denied on resource Space (or it might not exist)',
        );
      }
      return {
        name: conference.space,
        meetingUri: `https://meet.google.com/${conference.code}`,
        meetingCode: conference.code,
        config: { accessType: 'TRUSTED', entryPointAccess: 'ALL' },
      };
    }
    return notFound(reply);
  });
}

/** The records the one who speaks may read now: of their own meetings, after the lag, within thirty days. */
function readable(context: GoogleContext, request: FastifyRequest): ConferenceCall[] {
  const reader = authorise(context, request, 'meet');
  const { habits } = context.world;
  const now = context.world.now();
  return context.world.calls.filter(
    (call) =>
      call.conference?.kind === 'meet' &&
      !call.unrecorded &&
      call.organizer === reader?.id &&
      now >= call.startedAt + habits.meetLagMs &&
      now < call.endedAt + habits.meetKeptMs,
  );
}

function findCall(context: GoogleContext, request: FastifyRequest, id: string): ConferenceCall | undefined {
  return readable(context, request).find((call) => call.id === id);
}

/** A moment of a call as far as it is known yet: null when it lies within the lag or ahead. */
function known(context: GoogleContext, instant: number): number | null {
  return instant + context.world.habits.meetLagMs <= context.world.now() ? instant : null;
}

function filterable(context: GoogleContext, call: ConferenceCall) {
  const conference = call.conference?.kind === 'meet' ? call.conference : null;
  return {
    meetingCode: conference?.code ?? '',
    space: conference?.space ?? '',
    startTime: call.startedAt,
    endTime: known(context, call.endedAt),
  };
}

function recordResource(context: GoogleContext, call: ConferenceCall): Record<string, unknown> {
  const { space, endTime } = filterable(context, call);
  return {
    name: `conferenceRecords/${call.id}`,
    startTime: iso(call.startedAt),
    ...(endTime === null ? {} : { endTime: iso(endTime) }),
    expireTime: iso(call.endedAt + context.world.habits.meetKeptMs),
    space,
  };
}

interface Participant {
  resource: { name: string } & Record<string, unknown>;
  intervals: [from: number, until: number | null][];
}

/** One participant for a person however many devices they came with; each join is a session. */
function participantsOf(context: GoogleContext, call: ConferenceCall): Participant[] {
  const byWho = new Map<string, { presence: Presence; intervals: [number, number | null][] }>();
  for (const presence of call.presences) {
    const key = participantKey(presence.who);
    const entry = byWho.get(key) ?? { presence, intervals: [] };
    for (const [from, until] of presence.intervals) {
      if (known(context, from) !== null) entry.intervals.push([from, known(context, until)]);
    }
    byWho.set(key, entry);
  }
  return [...byWho].flatMap(([key, { presence, intervals }]) => {
    if (intervals.length === 0) return [];
    const id = createRandom(1).fork(`${call.id} ${key}`).text(DIGITS, 21);
    const ends = intervals.map(([, until]) => until);
    const latest = ends.includes(null) ? null : Math.max(...ends.map((until) => until ?? 0));
    return {
      intervals,
      resource: {
        name: `conferenceRecords/${call.id}/participants/${id}`,
        earliestStartTime: iso(Math.min(...intervals.map(([from]) => from))),
        ...(latest === null ? {} : { latestEndTime: iso(latest) }),
        ...identity(context, presence),
      },
    };
  });
}

/** No address ever: people with a Google account by number, everybody else by what they typed or dialled. */
function identity(context: GoogleContext, { who }: Presence): Record<string, unknown> {
  if ('phone' in who) return { phoneUser: { displayName: who.phone.replace(/\d(?=\d{2})/g, '•') } };
  if ('anonymous' in who) return { anonymousUser: { displayName: who.anonymous } };
  const person = context.world.person(who.person);
  return person.provider === 'google'
    ? { signedinUser: { user: `users/${person.providerUserId}`, displayName: person.name } }
    : { anonymousUser: { displayName: person.name } };
}

function page(
  context: GoogleContext,
  reply: FastifyReply,
  name: string,
  entries: unknown[],
  query: PageQuery,
  standard: number,
  largest: number,
): unknown {
  const asked = Number(query.pageSize ?? standard);
  const offset =
    query.pageToken === undefined ? 0 : Number(Buffer.from(query.pageToken, 'base64').toString());
  if (!Number.isInteger(asked) || asked < 0 || !Number.isInteger(offset)) {
    return meetError(reply, 400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
  }
  const size = Math.min(asked === 0 ? standard : asked, largest, context.habits.maxPage);
  const shown = entries.slice(offset, offset + size);
  const next = offset + size;
  return {
    ...(shown.length > 0 ? { [name]: shown } : {}),
    ...(next < entries.length ? { nextPageToken: Buffer.from(String(next)).toString('base64') } : {}),
  };
}

function notFound(reply: FastifyReply): FastifyReply {
  return meetError(reply, 404, 'NOT_FOUND', 'Requested entity was not found.');
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
