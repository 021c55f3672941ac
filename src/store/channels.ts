import { type Kysely, sql } from 'kysely';
import type { Channel } from '../domain/channel.ts';
import type { Provider } from '../domain/observation.ts';
import type { CalendarRef } from '../ports/calendar-source.ts';
import type { ChannelStore, WatchedCalendar } from '../ports/channel-store.ts';
import { readBusinessTime } from './clock.ts';
import type { DB } from './database.generated.ts';
import { channelsNamed, recordWords } from './spoken-words.ts';

/** Where push may be had. */
export interface PushTerms {
  /** Providers that we hold credentials of. */
  readonly providers: readonly Provider[];
  /** Whether there is an address that providers can reach. */
  readonly reachable: boolean;
}

// Word for word as in the indexes of 0062_due_indexes.sql.
const READABLE = sql`(calendar.retired_at is null and calendar.last_complete_pass_at is not null
                      and calendar.state in ('active', 'parked', 'throttled'))`;
const UNREADABLE = sql`(calendar.retired_at is not null or calendar.last_complete_pass_at is null
                        or calendar.state not in ('active', 'parked', 'throttled'))`;
const DUE_AT = sql`coalesce(calendar.channels_due_at, '-infinity'::timestamptz)`;
/** To the microsecond, and able to say "never". */
const DUE_TEXT = sql`extract(epoch from channels_due_at)::text`;
/** A channel is retired at once, and closed when that is due. */
const toBeLeft = (now: Date) =>
  sql`(channel.closed_at is null and (channel.state <> 'retired' or ${DUE_AT} <= ${now}))`;

/**
 * Calendars whose channels are due (`calendar_id`, `due_at`), the longest due first. A calendar is watched once it
 * has been read, for as long as it can be; of the others, those that still have a channel. Asked every second: each
 * part reads an index that holds little else than what is due.
 */
export function channelsDue({ providers, reachable }: PushTerms, limit: number, now: Date) {
  const ours = sql`calendar.provider = any (${[...providers]}::text[])`;
  if (!reachable) {
    return sql`(select distinct calendar.calendar_id, ${DUE_AT} as due_at
                  from cadenced.channel join cadenced.calendar on calendar.calendar_id = channel.calendar_id
                 where ${ours} and ${toBeLeft(now)} limit ${limit})`;
  }
  return sql`(
    (select calendar.calendar_id, ${DUE_AT} as due_at from cadenced.calendar
      where ${READABLE} and ${ours} and ${DUE_AT} <= ${now}
      order by ${DUE_AT}, calendar.calendar_id limit ${limit})
     union
    (select calendar.calendar_id, ${DUE_AT} from cadenced.calendar
      where calendar.push_state is not null and ${UNREADABLE} and ${ours}
        and exists (select from cadenced.channel
                     where channel.calendar_id = calendar.calendar_id and ${toBeLeft(now)}) limit ${limit})
     union
    (select calendar.calendar_id, ${DUE_AT}
       from cadenced.channel join cadenced.calendar on calendar.calendar_id = channel.calendar_id
      where channel.closed_at is null and channel.state = 'retired' and ${UNREADABLE} and ${ours}
        and ${DUE_AT} <= ${now} limit ${limit}))`;
}

/** Where push channels are kept. Deadlines of channels are business time, as the provider's own clock is. */
export function createChannelStore(db: Kysely<DB>, terms: PushTerms): ChannelStore {
  return {
    async due(limit) {
      const now = await readBusinessTime(db);
      const { rows } = await sql<{ calendar: WatchedCalendar }>`
        select jsonb_build_object(
                 'calendarId', calendar_id, 'provider', provider, 'address', address, 'readable', ${READABLE},
                 'push', push_state, 'pushSince', ${millis('push_since')}, 'pushReason', push_reason, 'failures', push_failures,
                 'holdUntil', ${millis('push_hold_until')}, 'dueAt', ${DUE_TEXT},
                 'channels', coalesce((select jsonb_agg(${channelJson()} order by requested_at)
                    from cadenced.channel
                   where channel.calendar_id = calendar.calendar_id and channel.closed_at is null), '[]')) as calendar
          from cadenced.calendar
          join ${channelsDue(terms, limit, now)} as due using (calendar_id)
         order by due.due_at, calendar_id
         limit ${limit}`.execute(db);
      return rows.map(({ calendar }) => calendar);
    },

    async request({ channelId, calendarId, provider, secretHash, url, at }) {
      // With the first channel the calendar counts as watched: only of such ones are channels looked for and closed.
      await sql`
        with watched as (
          update cadenced.calendar set push_state = 'requested', push_since = ${new Date(at)}
           where calendar_id = ${calendarId} and push_state is null
        )
        insert into cadenced.channel (channel_id, calendar_id, provider, secret_hash, url, state, requested_at)
        values (${channelId}, ${calendarId}, ${provider}, ${secretHash}, ${url}, 'requested', ${new Date(at)})`.execute(
        db,
      );
    },

    async opened(channelId, open, { at, renewAt, proven }) {
      // What is retired meanwhile stays so, and is closed by the name learnt here.
      await sql`
        update cadenced.channel set
          external_id = ${open.externalId}, resource_id = coalesce(${open.resourceId}, resource_id),
          opened_at = ${new Date(at)}, expires_at = ${new Date(open.expiresAt)}, renew_at = ${new Date(renewAt)},
          failure = case when state = 'retired' then failure end,
          state = case when state = 'retired' then state
                       when ${proven} or first_spoke_at is not null then 'verified' else 'unverified' end
         where channel_id = ${channelId}`.execute(db);
      // Nobody tells what changed before it was open, or while it waited to be authorized again.
      await sql`
        update cadenced.calendar set next_poll_at = least(next_poll_at, now())
         where state in ('active', 'parked')
           and calendar_id = (select calendar_id from cadenced.channel where channel_id = ${channelId})`.execute(
        db,
      );
    },

    async retire(channelId, why, closed, at) {
      await sql`
        update cadenced.channel set state = 'retired', failure = coalesce(failure, ${why}),
               closed_at = case when ${closed} then coalesce(closed_at, ${new Date(at)}) else closed_at end
         where channel_id = ${channelId}`.execute(db);
    },

    async closed(channelId, at) {
      await sql`
        update cadenced.channel set closed_at = coalesce(closed_at, ${new Date(at)})
         where channel_id = ${channelId}`.execute(db);
    },

    async rest({ calendarId, dueAt }, push) {
      await sql`
        update cadenced.calendar set
          push_since = case when push_state is distinct from ${push.state} then ${new Date(push.at)} else push_since end,
          push_state = ${push.state}, push_reason = ${push.reason}, push_failures = ${push.failures},
          push_hold_until = ${instant(push.holdUntil)},
          channels_due_at = case when ${DUE_TEXT} is distinct from ${dueAt} then channels_due_at
                                 else ${instant(push.lookAgainAt)} end
         where calendar_id = ${calendarId}`.execute(db);
    },

    named: (provider, asked) => channelsNamed(db, provider, asked),
    spoke: (words) => recordWords(db, words),

    async known(provider, names) {
      const { rows } = await sql<{ name: string }>`
        select external_id as name from cadenced.channel
         where provider = ${provider} and closed_at is null and external_id = any (${[...names]}::text[])`.execute(
        db,
      );
      return new Set(rows.map(({ name }) => name));
    },

    async someReadable(provider) {
      const { rows } = await sql<CalendarRef>`
        select calendar_id as "calendarId", address from cadenced.calendar
         where provider = ${provider} and state = 'active' and ${READABLE}
         order by last_complete_pass_at desc, calendar_id limit 1`.execute(db);
      return rows[0] ?? null;
    },
  };
}

function channelJson() {
  return sql`jsonb_build_object(
    'channelId', channel_id, 'state', channel.state, 'url', url, 'externalId', external_id, 'resourceId', resource_id,
    'requestedAt', ${millis('requested_at')}, 'openedAt', ${millis('opened_at')}, 'expiresAt', ${millis('expires_at')},
    'renewAt', ${millis('renew_at')}, 'firstSpokeAt', ${millis('first_spoke_at')}, 'closedAt', ${millis('closed_at')})`;
}

function millis(column: keyof DB['cadenced.channel'] | keyof DB['cadenced.calendar']) {
  return sql`(extract(epoch from ${sql.ref(column)}) * 1000)::bigint`;
}

function instant(at: Channel['expiresAt']): Date | null {
  return at === null ? null : new Date(at);
}

/**
 * Channels by provider and where they stand, and the calendars that ought to have one: the difference is what push
 * lacks.
 */
export async function countChannels(
  db: Kysely<DB>,
  terms: PushTerms,
): Promise<{
  readonly expected: ReadonlyArray<{ provider: string; calendars: number }>;
  readonly actual: ReadonlyArray<{ provider: string; state: string; channels: number }>;
}> {
  const expected = await sql<{ provider: string; calendars: number }>`
    select provider, count(*)::int as calendars from cadenced.calendar
     where provider = any (${[...terms.providers]}::text[]) and ${READABLE} and ${terms.reachable}
       and push_state is distinct from 'unsupported'
     group by provider`.execute(db);
  const actual = await sql<{ provider: string; state: string; channels: number }>`
    select provider, state, count(*)::int as channels from cadenced.channel
     where closed_at is null group by provider, state`.execute(db);
  return { expected: expected.rows, actual: actual.rows };
}

/** Looks at every calendar whose channel delivers elsewhere: the public address has changed. */
export async function wakeForeignChannels(db: Kysely<DB>, provider: Provider, url: string): Promise<void> {
  await sql`
    update cadenced.calendar set channels_due_at = null
     where exists (select from cadenced.channel
                    where channel.calendar_id = calendar.calendar_id and channel.provider = ${provider}
                      and channel.closed_at is null and channel.state <> 'retired' and channel.url <> ${url})`.execute(
    db,
  );
}
