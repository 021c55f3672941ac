import type { FastifyInstance } from 'fastify';
import { createRandom, DIGITS } from '../world/random.ts';
import type { ConferenceCall, Presence } from '../world/types.ts';
import { authorise } from './access.ts';
import type { GoogleContext } from './context.ts';
import { REFUSALS, refuse } from './errors.ts';
import { eventId } from './event-resource.ts';

interface ActivityQuery {
  eventName?: string;
  startTime?: string;
  endTime?: string;
  maxResults?: string;
  pageToken?: string;
}

type Parameter = { name: string; value?: string; intValue?: string; boolValue?: boolean };

/**
 * The Reports API's log of Meet: a `call_ended` for every endpoint that left, told late and in no calendar order.
 * https://developers.google.com/workspace/admin/reports/v1/appendix/activity/meet
 */
export function registerReports(app: FastifyInstance, context: GoogleContext): void {
  app.get<{ Params: { user: string; application: string }; Querystring: ActivityQuery }>(
    '/admin/reports/v1/activity/users/:user/applications/:application',
    async (request) => {
      const reader = authorise(context, request, 'reports');
      const isAdmin = context.adminSubject === null || reader?.addresses.includes(context.adminSubject);
      if (isAdmin !== true) {
        return refuse({
          status: 401,
          reason: 'required',
          message: 'Access denied. You are not authorized to read activity records.',
        });
      }
      const { user, application } = request.params;
      if (user !== 'all' || application !== 'meet') return refuse(REFUSALS.badRequest);
      const { query } = request;
      const from = query.startTime === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.startTime);
      const until = query.endTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(query.endTime);
      // An end in the future is refused, as a beginning after the end is.
      if (Number.isNaN(from) || Number.isNaN(until) || from > until) return refuse(REFUSALS.badRequest);
      const all =
        query.eventName !== undefined && query.eventName !== 'call_ended'
          ? []
          : context.world.calls
              .flatMap((call) => endpointsOf(context, call))
              .filter(({ at }) => at >= from && at <= until)
              .filter(({ toldAt }) => toldAt <= context.world.now())
              .sort((one, other) => other.at - one.at);
      const offset = Number(query.pageToken ?? '0');
      const size = Math.min(Number(query.maxResults ?? '1000'), 1000, context.habits.maxPage);
      if (!Number.isInteger(offset) || !(size > 0)) return refuse(REFUSALS.badRequest);
      const next = offset + size;
      return {
        kind: 'admin#reports#activities',
        etag: `"r${all.length}"`,
        ...(next < all.length ? { nextPageToken: String(next) } : {}),
        // A list that is empty comes without its name.
        ...(all.length > offset ? { items: all.slice(offset, next).map(({ item }) => item) } : {}),
      };
    },
  );
}

/** One entry for every join of a call, told when the endpoint leaves. */
function endpointsOf(
  context: GoogleContext,
  call: ConferenceCall,
): { at: number; toldAt: number; item: unknown }[] {
  if (call.conference?.kind !== 'meet' || call.unrecorded) return [];
  const random = createRandom(7).fork(call.id);
  const { code } = call.conference;
  const organizer = context.world.person(call.organizer).addresses[0] ?? '';
  const meeting = context.world.meeting(call.meeting);
  return call.presences
    .filter((presence) => isShown(context, call, presence))
    .flatMap((presence) =>
      presence.intervals.map(([from, until]) => {
        const parameters: Parameter[] = [
          ...identity(context, presence),
          { name: 'device_type', value: 'phone' in presence.who ? 'pstn_in' : presence.device },
          { name: 'duration_seconds', intValue: String(Math.round((until - from) / 1000)) },
          { name: 'endpoint_id', value: `boq_hlane_${random.text(DIGITS, 10)}` },
          { name: 'conference_id', value: call.id },
          // As the log writes it: capitals, no dashes.
          { name: 'meeting_code', value: code.replaceAll('-', '').toUpperCase() },
          ...(context.habits.reportsNameOrganizer ? [{ name: 'organizer_email', value: organizer }] : []),
          { name: 'calendar_event_id', value: eventId({ meeting, slot: call.slot }) },
        ];
        return {
          at: until,
          toldAt: until + (presence.reportsLagMs ?? context.habits.reportsLagMs),
          item: {
            kind: 'admin#reports#activity',
            id: {
              time: new Date(until).toISOString(),
              uniqueQualifier: `-${random.text(DIGITS, 18)}`,
              applicationName: 'meet',
              customerId: 'C0sandbox',
            },
            actor: actorOf(context, presence),
            events: [{ type: 'call', name: 'call_ended', parameters }],
          },
        };
      }),
    );
}

/** The log need only tell of people in the domain, and of whoever came to a meeting that was organized there. */
function isShown(context: GoogleContext, call: ConferenceCall, { who }: Presence): boolean {
  if (context.habits.reportsForeignCalls === 'everybody') return true;
  const isOwn = (person: string) => context.world.person(person).provider === 'google';
  return isOwn(call.organizer) || ('person' in who && isOwn(who.person));
}

function identity(context: GoogleContext, { who }: Presence): Parameter[] {
  if ('phone' in who) {
    return [
      { name: 'identifier', value: who.phone },
      { name: 'identifier_type', value: 'phone_number' },
      { name: 'is_external', boolValue: true },
    ];
  }
  if ('anonymous' in who) {
    return [
      { name: 'display_name', value: who.anonymous },
      { name: 'is_external', boolValue: true },
    ];
  }
  const person = context.world.person(who.person);
  if (person.provider !== 'google') {
    return [
      { name: 'display_name', value: person.name },
      { name: 'is_external', boolValue: true },
    ];
  }
  return [
    { name: 'identifier', value: person.addresses[0] ?? '' },
    { name: 'identifier_type', value: 'email_address' },
    { name: 'display_name', value: person.name },
    { name: 'is_external', boolValue: false },
  ];
}

function actorOf(context: GoogleContext, { who }: Presence): Record<string, string> {
  if (!('person' in who)) return { callerType: 'KEY', key: 'HANGOUTS_EXTERNAL_OR_ANONYMOUS' };
  const person = context.world.person(who.person);
  return person.provider === 'google'
    ? { callerType: 'USER', email: person.addresses[0] ?? '', profileId: person.providerUserId }
    : { callerType: 'KEY', key: 'HANGOUTS_EXTERNAL_OR_ANONYMOUS' };
}
