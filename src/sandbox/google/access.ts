import type { FastifyRequest } from 'fastify';
import type { Person } from '../world/types.ts';
import { type AccessToken, type GoogleContext, SCOPES } from './context.ts';
import { REFUSALS, refuse } from './errors.ts';

/** The token behind a request, whether or not it is still good. */
export function tokenOf(context: GoogleContext, request: FastifyRequest): AccessToken | undefined {
  const [, value] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return value === undefined ? undefined : context.tokens.get(value);
}

/** Who speaks, with one of the scopes. Refuses with 401 or 403 otherwise; null is the service account itself. */
export function authorise(
  context: GoogleContext,
  request: FastifyRequest,
  api: keyof typeof SCOPES,
): Person | null {
  const token = tokenOf(context, request);
  if (token === undefined || token.expiresAt <= Date.now()) return refuse(REFUSALS.authError);
  const accepted: readonly string[] = SCOPES[api];
  if (!token.scopes.some((scope) => accepted.includes(scope)))
    return refuse(REFUSALS.insufficientPermissions);
  return token.person === null ? null : context.world.person(token.person);
}

export interface OpenCalendar {
  owner: Person;
  accessRole: Person['accessRole'];
}

/**
 * The calendar in the path, if the one who speaks may read it. What may not be seen does not exist (404);
 * a withdrawn consent and a switched-off service are told apart (403).
 */
export function openCalendar(
  context: GoogleContext,
  request: FastifyRequest,
  calendarId: string,
): OpenCalendar {
  const reader = authorise(context, request, 'events');
  const owner = calendarId === 'primary' ? reader : ownerOf(context, calendarId);
  if (owner === null || owner.provider !== 'google') return refuse(REFUSALS.notFound);
  const isOwner = reader?.id === owner.id;
  if (!isOwner && (reader === null || !owner.sharedWith.includes(reader.id)))
    return refuse(REFUSALS.notFound);
  if (owner.state === 'forbidden') return refuse(REFUSALS.forbidden);
  if (owner.state === 'no_mailbox') return refuse(REFUSALS.notACalendarUser);
  if (owner.state === 'suspended') return refuse(REFUSALS.notFound);
  return { owner, accessRole: isOwner ? context.habits.ownRole : owner.accessRole };
}

function ownerOf(context: GoogleContext, calendarId: string): Person | null {
  const wanted = calendarId.toLowerCase();
  // A calendar's id is the primary address; aliases name people, not calendars.
  return (
    [...context.world.people.values()].find((person) => person.addresses[0]?.toLowerCase() === wanted) ?? null
  );
}
