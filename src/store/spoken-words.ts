import { type Kysely, sql } from 'kysely';
import type { Provider } from '../domain/observation.ts';
import type { ChannelStore, NamedChannel, SpokenWord } from '../ports/channel-store.ts';
import type { DB } from './database.generated.ts';

/**
 * What push channels say, many at a time. A provider waits for our answer while this is written, and floods come when
 * everything else is busy as well: whatever was said meanwhile takes three statements, not three for each word.
 */

/** After a push was followed, the next one waits for so long: fifty in a second are two passes. */
const PUSHES_APART = '1 second';
/** Providers tell of a change before they can show it. */
const FIRST_LOOK_AGAIN = '10 seconds';
export const SECOND_LOOK_AGAIN = '60 seconds';
/** Nobody looks again where the provider asked for less, or where nothing can be read. */
export const SECOND_LOOK_IS_DUE = sql`(look_again_at <= now() and state in ('active', 'parked')
                                       and coalesce(hold_until <= now(), true))`;

/** The channels behind names and secrets: by the secret too, for a provider may speak before it told us the name. */
export async function channelsNamed(
  db: Kysely<DB>,
  provider: Provider,
  asked: Parameters<ChannelStore['named']>[1],
): Promise<ReadonlyArray<NamedChannel | null>> {
  const questions = asked.map(({ name, secretHash }, at) => ({
    at,
    name,
    hash: secretHash?.toString('hex') ?? null,
  }));
  const { rows } = await sql<NamedChannel & { at: number }>`
    select asked.at, channel_id as "channelId", calendar_id as "calendarId", channel.secret_hash as "secretHash",
           external_id as "externalId", resource_id as "resourceId"
      from jsonb_to_recordset(${JSON.stringify(questions)}::jsonb) as asked (at int, name text, hash text)
     cross join lateral (
       select * from cadenced.channel
        where provider = ${provider} and (external_id = asked.name or secret_hash = decode(asked.hash, 'hex'))
        order by secret_hash = decode(asked.hash, 'hex') desc nulls last limit 1) as channel`.execute(db);
  const found = new Map(rows.map(({ at, ...channel }) => [at, channel]));
  return asked.map((_, at) => found.get(at) ?? null);
}

interface Spoken {
  readonly calendarId: number;
  /** The channels themselves have to be looked at: one spoke for the first time, ends, or lives on unwanted. */
  readonly news: boolean;
  /** The calendar has to be looked at. */
  readonly changed: boolean;
  readonly looksAgain: boolean;
}

/** The store's `spoke`. */
export async function recordWords(
  db: Kysely<DB>,
  words: readonly SpokenWord[],
): Promise<ReadonlyArray<Promise<boolean>>> {
  const spoken = await recordOnChannels(db, words);
  const done = await fallDue(db, spoken, 'skip locked');
  const answers = new Map<number, Promise<boolean>>();
  for (const calendar of spoken) {
    const { calendarId } = calendar;
    const fell = done.get(calendarId);
    // A pass is writing this calendar. Its end may not know of the push, so the word has to wait for it.
    answers.set(
      calendarId,
      fell === undefined
        ? fallDue(db, [calendar], 'wait').then((late) => late.get(calendarId) ?? false)
        : Promise.resolve(fell),
    );
  }
  return words.map(({ channel }) => answers.get(channel.calendarId) ?? Promise.resolve(false));
}

async function recordOnChannels(db: Kysely<DB>, words: readonly SpokenWord[]): Promise<readonly Spoken[]> {
  const told = words.map(({ channel, name, resourceId, says, at }) => ({
    channel_id: channel.channelId,
    name,
    resource_id: resourceId,
    says,
    at: new Date(at),
  }));
  const { rows } = await sql<Spoken>`
    with told as (
      select channel_id, min(name) as name, min(resource_id) as resource_id, max(at) as at, count(*) as words,
             bool_or(says = 'renew') as renews, bool_or(says = 'removed') as ended, bool_or(says <> 'renew') as heard,
             bool_or(says not in ('renew', 'opened')) as changed
        from jsonb_to_recordset(${JSON.stringify(told)}::jsonb)
             as word (channel_id uuid, name text, resource_id text, says text, at timestamptz)
       group by channel_id),
    was as (
      -- In one order, so that two replicas told of the same channels wait for each other and not in a ring.
      select channel_id, first_spoke_at from cadenced.channel
       where channel_id in (select channel_id from told) order by channel_id for update),
    spoken as (
      update cadenced.channel set
        external_id = coalesce(external_id, told.name), resource_id = coalesce(channel.resource_id, told.resource_id),
        first_spoke_at = coalesce(channel.first_spoke_at, told.at), last_spoke_at = told.at,
        spoken = channel.spoken + told.words,
        renew_at = case when told.renews then told.at else channel.renew_at end,
        failure = case when told.ended then 'removed_by_provider' else channel.failure end,
        closed_at = case when told.ended then told.at else channel.closed_at end,
        state = case when told.ended then 'retired' when channel.state = 'unverified' then 'verified' else channel.state end
        from told join was using (channel_id)
       where channel.channel_id = told.channel_id
      returning channel.calendar_id, was.first_spoke_at is null as first, channel.state = 'retired' as retired,
                told.renews, told.ended, told.heard, told.changed)
    -- A retired channel that still speaks has told its name by which it can be closed; what it says is heard elsewhere.
    select calendar_id as "calendarId", bool_or(first or retired or renews or ended) as news,
           bool_or(heard and (not retired or ended)) as changed,
           bool_or(changed and (not retired or ended)) as "looksAgain"
      from spoken group by calendar_id`.execute(db);
  return rows;
}

/** @returns by calendar, whether it fell due now; those that are locked are left out where they are skipped */
async function fallDue(
  db: Kysely<DB>,
  spoken: readonly Spoken[],
  locked: 'skip locked' | 'wait',
): Promise<ReadonlyMap<number, boolean>> {
  const { rows } = await sql<{ calendarId: number; fell: boolean }>`
    with spoken as (
      select * from jsonb_to_recordset(${JSON.stringify(spoken)}::jsonb)
        as calendar ("calendarId" bigint, news boolean, changed boolean, "looksAgain" boolean)),
    was as (
      select calendar_id, next_poll_at from cadenced.calendar
       where calendar_id in (select "calendarId" from spoken) order by calendar_id
         for update ${locked === 'wait' ? sql`` : sql`skip locked`})
    update cadenced.calendar set
      channels_due_at = case when spoken.news then (select cadenced.now()) else channels_due_at end,
      pushed_at = case when spoken.changed then now() else pushed_at end,
      look_again_at = case when spoken."looksAgain" then now() + ${FIRST_LOOK_AGAIN}::interval else look_again_at end,
      -- A throttled calendar keeps the distance it was asked for; one that cannot be read is probed, not pushed.
      next_poll_at = case when spoken.changed and state in ('active', 'parked')
        then least(calendar.next_poll_at, greatest(now(), push_taken_at + ${PUSHES_APART}::interval))
        else calendar.next_poll_at end
      from spoken join was on was.calendar_id = spoken."calendarId"
     where calendar.calendar_id = was.calendar_id
    returning calendar.calendar_id as "calendarId",
              calendar.next_poll_at <= now() and was.next_poll_at > now() as fell`.execute(db);
  return new Map(rows.map(({ calendarId, fell }) => [calendarId, fell]));
}
