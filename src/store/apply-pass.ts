import { type Kysely, sql, type Transaction } from 'kysely';
import type { BrakeState } from '../domain/brake.ts';
import { seriesUidOf } from '../domain/lineage.ts';
import type { Provider } from '../domain/observation.ts';
import { isStanding, type Occurrence } from '../domain/occurrence.ts';
import type { StagedCopy, StagedRemoval } from '../domain/pass.ts';
import { type Plan, planPass } from '../domain/planning.ts';
import type { AppliedPass, FinishedPass } from '../ports/sync-store.ts';
import { calendarEventDraft } from './calendar-events.ts';
import { applyCandidates } from './candidates.ts';
import type { DB } from './database.generated.ts';
import { wakeMended } from './failed-pass.ts';
import { scheduleHarvests, scheduleJudgement, takeBackVerdicts } from './judgement.ts';
import { withStoredLineages } from './nameless.ts';
import { loadOccurrences, loadRoster } from './occurrences.ts';
import { appendOutboundEvents } from './outbound.ts';
import { bindPlannedSessions, mentorshipsToBind } from './planned-sessions.ts';
import { longestReminderDays, planReminders, REMINDERS_AHEAD_DAYS } from './reminders.ts';
import { draftSessionEvents } from './session-events.ts';
import { takeFound } from './staging.ts';
import { inTransaction } from './transaction.ts';
import { type WrittenChange, writeChanges } from './write-plan.ts';

interface LockedCalendar {
  provider: Provider;
  address: string;
  person_id: number | null;
  state: string;
  state_since: Date;
  config_fault: string | null;
  sync_generation: number;
  parked: { since: number; lineages: string[] } | null;
  approved: boolean;
}

/** Milliseconds between polls, without push and with a channel that works, and between comparisons. */
export interface Rhythm {
  readonly pollEveryMs: number;
  readonly pollWithPushMs: number;
  readonly reconcileEveryMs: number;
}

function ms(milliseconds: number) {
  return sql`make_interval(secs => ${milliseconds / 1000}::double precision)`;
}

const NOTHING: AppliedPass = {
  applied: false,
  occurrences: 0,
  sessions: 0,
  events: 0,
  parked: 0,
  differing: 0,
};

interface Written extends AppliedPass {
  /** Calendars that have something new to look up. */
  readonly wake: readonly number[];
  /** What kept this calendar from being read until now, and may keep others. */
  readonly mended: { readonly provider: Provider; readonly fault: string } | null;
}

/**
 * Plans over what a pass staged and writes everything it implies in one transaction: occurrences, copies, sessions,
 * reminders, due times, outbound events, the cursor. Locks the calendar's row and does nothing unless its generation
 * is still the one that the pass began with: a worker that stalled and woke up after another must not write.
 */
export async function applyPass(
  db: Kysely<DB>,
  calendarId: number,
  pass: FinishedPass,
  rhythm: Rhythm,
): Promise<AppliedPass> {
  const written = await inTransaction(db, async (trx): Promise<Written> => {
    const calendar = await lockCalendar(trx, calendarId);
    const found = await takeFound(trx, calendarId, pass);
    if (!calendar || calendar.sync_generation !== pass.generation)
      return { ...NOTHING, wake: [], mended: null };
    const staged = { ...found, copies: await withStoredLineages(trx, calendarId, found.copies) };
    const predecessors = pass.complete ? await predecessorsOf(trx, calendarId, pass.complete.from) : [];
    const lineages = await touchedLineages(trx, calendarId, pass, staged, predecessors);
    await lockLineages(trx, lineages);
    const stored = await loadOccurrences(trx, lineages);
    const brake: BrakeState = { parked: calendar.parked, approved: calendar.approved };
    const plan = planPass(
      {
        holder: {
          calendarId,
          provider: calendar.provider,
          address: calendar.address,
          personId: calendar.person_id,
        },
        now: pass.now,
        copies: staged.copies,
        removals: staged.removals,
        listedSeries: pass.listedSeries,
        deniedSeries: new Set(pass.deniedSeries),
        complete: pass.complete,
        brake,
        predecessors: new Set(predecessors),
      },
      stored,
      await loadContext(trx, calendarId, staged.copies, stored),
    );
    const written = await writeChanges(trx, plan.changes, pass.now);
    const events = await followUp(trx, calendarId, pass, plan, written);
    await applyCandidates(trx, calendarId, pass, staged.candidates);
    const wake = await want(trx, calendarId, pass, written);
    const reconnected = await restCalendar(trx, calendarId, calendar, pass, plan, rhythm);
    const appended = await appendOutboundEvents(trx, [...events, ...reconnected]);
    return {
      applied: true,
      occurrences: written.length,
      sessions: written.reduce((count, { after }) => count + after.sessions.length, 0),
      events: appended,
      parked: plan.braked.hold.length,
      differing: plan.differing,
      wake,
      mended:
        calendar.config_fault === null ? null : { provider: calendar.provider, fault: calendar.config_fault },
    };
  });
  const { wake, mended, ...report } = written;
  // Afterwards, because a pass that holds its own calendar must not wait for one that waits for it.
  await wakeCalendars(db, wake);
  if (mended !== null) await wakeMended(db, mended.provider, mended.fault);
  return report;
}

async function wakeCalendars(db: Kysely<DB>, calendarIds: readonly number[]): Promise<void> {
  if (calendarIds.length === 0) return;
  await sql`
    update cadenced.calendar set next_poll_at = least(next_poll_at, now())
     where calendar_id = any (${[...calendarIds]}::bigint[])`.execute(db);
}

/** Without `no key` every row that names the calendar (a wanted meeting) would have to wait for the whole pass. */
async function lockCalendar(trx: Transaction<DB>, calendarId: number): Promise<LockedCalendar | undefined> {
  const { rows } = await sql<LockedCalendar>`
    select provider, address, person_id, state, state_since, config_fault, sync_generation, parked,
           coalesce(approved_until > now(), false) as approved
      from cadenced.calendar
     where calendar_id = ${calendarId} and retired_at is null
       for no key update`.execute(trx);
  return rows[0];
}

/** Calendars of the same owner that were retired when this one was set in their place, and still hold something. */
async function predecessorsOf(trx: Transaction<DB>, calendarId: number, from: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select former.calendar_id as id
      from cadenced.calendar
      join cadenced.calendar former
        on former.person_id = calendar.person_id or former.program_id = calendar.program_id
     where calendar.calendar_id = ${calendarId} and former.calendar_id <> calendar.calendar_id
       and former.retired_at is not null
       and exists (select from cadenced.event_copy copy
                    where copy.calendar_id = former.calendar_id and copy.removed_at is null
                      and copy.ends_at > ${new Date(from)})`.execute(trx);
  return rows.map((row) => row.id);
}

/** The lineages whose state the pass can change. */
async function touchedLineages(
  trx: Transaction<DB>,
  calendarId: number,
  pass: FinishedPass,
  staged: { readonly copies: readonly StagedCopy[]; readonly removals: readonly StagedRemoval[] },
  predecessors: readonly number[],
): Promise<string[]> {
  const ids = [
    ...staged.removals.map((removal) => removal.sourceId),
    ...pass.listedSeries.map((listed) => listed.seriesId),
    ...staged.copies.map((copy) => copy.sourceId),
  ];
  if (ids.length === 0 && pass.complete === null) return [];
  const from = pass.complete ? new Date(pass.complete.from) : null;
  const until = pass.complete ? new Date(pass.complete.until) : null;
  const { rows } = await sql<{ lineage: string }>`
    select distinct lineage from cadenced.event_copy
     where calendar_id = ${calendarId} and removed_at is null
       and (source_id = any (${ids}) or series_id = any (${ids})
            or (${from}::timestamptz is not null and ends_at > ${from} and starts_at < ${until}))
    union
    select lineage from cadenced.event_copy
     where calendar_id = any (${[...predecessors]}::bigint[]) and removed_at is null
       and ends_at > ${from} and starts_at < ${until}`.execute(trx);
  return [...new Set([...staged.copies.map((copy) => copy.lineage), ...rows.map((row) => row.lineage)])];
}

/**
 * Two calendars of one meeting may be applied at the same time: they take turns by lineage. The sessions are locked
 * in the order in which the judge and the evidence lock them, so that nobody waits in a circle; every transaction
 * takes sessions first, then harvests, then people, and the outbound events' lock last.
 */
async function lockLineages(trx: Transaction<DB>, lineages: readonly string[]): Promise<void> {
  if (lineages.length === 0) return;
  await sql`
    select pg_advisory_xact_lock(key)
      from (select distinct hashtextextended(lineage, 0) as key from unnest(${lineages}::text[]) lineage order by 1) keys`.execute(
    trx,
  );
  await sql`
    select session.session_id from cadenced.session
      join cadenced.occurrence using (occurrence_id)
     where occurrence.lineage = any (${lineages})
     order by session.session_id
       for no key update of session`.execute(trx);
}

/** The context of a pass that found nothing: no question about anybody will be asked of it. */
const NOBODY = { roster: { personOf: new Map(), mentorships: [] }, blind: new Set<number>() } as const;

async function loadContext(
  trx: Transaction<DB>,
  calendarId: number,
  staged: readonly StagedCopy[],
  stored: readonly Occurrence[],
) {
  if (staged.length === 0 && stored.length === 0) return NOBODY;
  const addresses = new Set<string>();
  for (const copy of [...staged, ...stored.flatMap((occurrence) => occurrence.copies)]) {
    for (const person of copy.people) addresses.add(person.address);
    if (copy.organizer) addresses.add(copy.organizer);
    if ('holder' in copy) addresses.add(copy.holder.address);
  }
  // Whose pass this is can be read again, whatever its state still says: its word decides, and nobody asks it twice.
  const { rows } = await sql<{ calendar_id: number; address: string }>`
    select calendar_id, address from cadenced.calendar
     where calendar_id <> ${calendarId}
       and (state in ('denied', 'gone', 'needs_consent') or retired_at is not null)`.execute(trx);
  const mentorshipIds = stored.flatMap((occurrence) =>
    occurrence.sessions.map((session) => session.mentorshipId),
  );
  return {
    roster: await loadRoster(trx, [...addresses], mentorshipIds),
    blind: new Set(rows.map((row) => row.calendar_id)),
  };
}

/** What follows from changed sessions: bindings, due times, reminders, events; and the list of what matched nothing. */
async function followUp(
  trx: Transaction<DB>,
  calendarId: number,
  pass: FinishedPass,
  plan: Plan,
  written: readonly WrittenChange[],
) {
  const sessions = written.flatMap(({ after }) => after.sessions);
  const ids = sessions.map((session) => session.sessionId as number);
  const changed = [...new Set(sessions.map((session) => session.mentorshipId))];
  await bindPlannedSessions(trx, await mentorshipsToBind(trx, calendarId, changed));
  await takeBackVerdicts(trx, movedFromThePast(written, pass.now));
  const known = new Set(
    written.flatMap(({ before }) => before?.sessions.map((session) => session.sessionId) ?? []),
  );
  await scheduleJudgement(
    trx,
    ids.filter((id) => known.has(id)),
    new Date(pass.now),
  );
  await scheduleHarvests(trx, ids, new Date(pass.now));
  await planReminders(trx, await comingSessions(trx, pass.now, written), new Date(pass.now));
  await noteUnmatched(trx, calendarId, plan, pass);
  return draftSessionEvents(trx, written, pass.now, `${calendarId}.${pass.generation}`);
}

/** Occurrences whose old time was over when we learnt that they had been put off before. */
function movedFromThePast(written: readonly WrittenChange[], now: number): number[] {
  return written.flatMap(({ before, after }) =>
    before !== null && before.end <= now && before.end !== after.end ? [after.occurrenceId as number] : [],
  );
}

/** Keeps the list of tagged events that are nobody's session. Most passes find none and end none. */
async function noteUnmatched(
  trx: Transaction<DB>,
  calendarId: number,
  { unmatched, nowMatched }: Plan,
  { now, complete }: FinishedPass,
): Promise<void> {
  if (unmatched.length === 0 && nowMatched.length === 0 && complete === null) return;
  const [from, until] = complete ? [new Date(complete.from), new Date(complete.until)] : [null, null];
  const shown = unmatched.map((event) => event.sourceId);
  // A complete pass saw its whole window: what it did not show there is not there to be unmatched.
  await sql`
    delete from cadenced.unmatched_event
     where calendar_id = ${calendarId}
       and (source_id = any (${nowMatched}) or source_id = any (${shown})
            or (starts_at >= ${from}::timestamptz and starts_at < ${until}::timestamptz))
       and not (source_id, program_id) in (
         select event."sourceId", program.program_id
           from jsonb_to_recordset(${JSON.stringify(unmatched)}::jsonb) as event("sourceId" text, program text)
           join cadenced.program on program.name = event.program)`.execute(trx);
  if (unmatched.length === 0) return;
  await sql`
    insert into cadenced.unmatched_event (calendar_id, source_id, program_id, starts_at, reason, seen_at)
    select ${calendarId}, event."sourceId", program.program_id, to_timestamp(event.start / 1000.0), event.reason,
           ${new Date(now)}
      from jsonb_to_recordset(${JSON.stringify(unmatched)}::jsonb)
        as event("sourceId" text, program text, start double precision, reason text)
      join cadenced.program on program.name = event.program
    on conflict (calendar_id, source_id, program_id) do update
      set starts_at = excluded.starts_at, reason = excluded.reason, seen_at = excluded.seen_at
    where (unmatched_event.starts_at, unmatched_event.reason) is distinct from (excluded.starts_at, excluded.reason)`.execute(
    trx,
  );
}

/**
 * The changed sessions that come (or came) near enough for a reminder. Mails for those further ahead would only be
 * moved and thrown away with every change of plans: the periodic planning makes them in time.
 */
async function comingSessions(
  trx: Transaction<DB>,
  now: number,
  written: readonly WrittenChange[],
): Promise<number[]> {
  if (written.length === 0) return [];
  const until = now + ((await longestReminderDays(trx)) + REMINDERS_AHEAD_DAYS) * 86_400_000;
  return written.flatMap(({ before, after }) => {
    const was = new Map((before?.sessions ?? []).map((session) => [session.sessionId, session]));
    return after.sessions
      .filter(
        (session) => Math.min(session.start, was.get(session.sessionId)?.start ?? session.start) <= until,
      )
      .map((session) => session.sessionId as number);
  });
}

/**
 * A tag may stand on one person's copy only (a category, a private property). A meeting that is new to us is
 * therefore looked up by name on the other members' calendars, where an untagged copy leaves no other trace.
 * @returns the calendars that have something new to look up
 */
async function want(
  trx: Transaction<DB>,
  calendarId: number,
  pass: FinishedPass,
  written: readonly WrittenChange[],
): Promise<number[]> {
  const wake: number[] = [];
  const found = written
    .filter((change) => isNewlyOurs(change) || hasComeBack(change))
    .flatMap(({ after }) => {
      const people = new Set(
        after.sessions.flatMap((session) => session.participants.map((its) => its.personId)),
      );
      // Both parts of a split are asked for: each is found by its own UID only.
      const uids = new Set(
        after.copies.flatMap((copy) => (copy.uid === null ? [] : [seriesUidOf(copy.uid)])),
      );
      // What is off for us is kept where it was; its copy may stand elsewhere.
      const standing = after.copies.filter(isStanding);
      return [...uids].map((uid) => ({
        lineage: after.lineage,
        occurrence: after.occurrenceId,
        uid,
        from: Math.min(after.start, ...standing.map((copy) => copy.start)),
        until: Math.max(after.end, ...standing.map((copy) => copy.end)),
        people: [...people],
      }));
    });
  if (found.length > 0) {
    const { rows } = await sql<{ calendar_id: number }>`
      with reader as materialized (
        select calendar_id, person_id from cadenced.calendar
         where person_id = any (${[...new Set(found.flatMap((meeting) => meeting.people))]}::bigint[])
           and calendar_id <> ${calendarId} and retired_at is null
           -- A calendar that was never read in full will see the meeting with everything else.
           and last_full_pass_at is not null
      )
      insert into cadenced.wanted_meeting (calendar_id, lineage, uid, around_from, around_until)
      select reader.calendar_id, meeting.lineage, meeting.uid, to_timestamp(min(meeting."from") / 1000.0),
             to_timestamp(max(meeting.until) / 1000.0)
        from jsonb_to_recordset(${JSON.stringify(found)}::jsonb)
          as meeting(lineage text, occurrence bigint, uid text, "from" double precision, until double precision, people jsonb)
        cross join lateral jsonb_array_elements_text(meeting.people) as invited (person_id)
        join reader on reader.person_id = invited.person_id::bigint
       where not exists (select from cadenced.event_copy copy
                          where copy.calendar_id = reader.calendar_id and copy.occurrence_id = meeting.occurrence
                            and copy.removed_at is null)
       group by reader.calendar_id, meeting.lineage, meeting.uid
      on conflict (calendar_id, lineage, uid) do update
        set around_from = least(wanted_meeting.around_from, excluded.around_from),
            around_until = greatest(wanted_meeting.around_until, excluded.around_until)
      returning calendar_id`.execute(trx);
    wake.push(...rows.map((row) => row.calendar_id));
  }
  if (pass.wantedRead.length > 0) {
    // What another calendar came to want while this pass read, or wants over a longer time, is still to be read.
    await sql`
      delete from cadenced.wanted_meeting wanted
       using jsonb_to_recordset(${JSON.stringify(pass.wantedRead)}::jsonb) as was(lineage text, uid text, "window" jsonb)
       where wanted.calendar_id = ${calendarId} and wanted.lineage = was.lineage and wanted.uid = was.uid
         and wanted.around_from >= to_timestamp((was."window" ->> 'from')::double precision / 1000.0)
         and wanted.around_until <= to_timestamp((was."window" ->> 'until')::double precision / 1000.0)`.execute(
      trx,
    );
  }
  return [...new Set(wake)];
}

/**
 * Whether a meeting became a session of somebody by this pass. Known is not enough: what lost its tag was let go on
 * all calendars, and only the one on which the tag comes back tells of it again.
 */
function isNewlyOurs({ before, after }: WrittenChange): boolean {
  const had = new Set(
    before?.sessions.filter((session) => !session.cancelled).map((session) => session.mentorshipId),
  );
  return after.sessions.some((session) => !session.cancelled && !had.has(session.mentorshipId));
}

/**
 * Whether a meeting that stood on no calendar stands on one again, and is still off for us: the organizer's copy was
 * taken away, and where it bears no mark of its own nobody has kept it when it came back.
 */
function hasComeBack({ before, after }: WrittenChange): boolean {
  if (before === null || before.copies.some(isStanding) || !after.copies.some(isStanding)) return false;
  return after.sessions.some((session) => session.cancelled);
}

/** Saves the cursor and the state of the calendar. */
async function restCalendar(
  trx: Transaction<DB>,
  calendarId: number,
  calendar: LockedCalendar,
  pass: FinishedPass,
  plan: Plan,
  rhythm: Rhythm,
) {
  const { parked } = plan.braked;
  const state = parked ? 'parked' : 'active';
  const whole = pass.kind !== 'changes';
  await sql`
    update cadenced.calendar set
      sync_generation = sync_generation + 1,
      cursor = coalesce(${pass.cursor?.value ?? null}, cursor),
      cursor_version = coalesce(${pass.cursor?.version ?? null}, cursor_version),
      window_from = coalesce(${pass.cursor ? new Date(pass.cursor.window.from) : null}, window_from),
      window_until = coalesce(${pass.cursor ? new Date(pass.cursor.window.until) : null}, window_until),
      full_pass_wanted = full_pass_wanted and ${pass.kind !== 'full'},
      reconcile_wanted = reconcile_wanted and (${!whole} or coalesce(reconcile_asked_at > push_taken_at, false)),
      last_complete_pass_at = ${new Date(pass.now)},
      last_full_pass_at = case when ${pass.kind === 'full'} then ${new Date(pass.now)} else last_full_pass_at end,
      last_reconcile_at = case when ${whole} then ${new Date(pass.now)} else last_reconcile_at end,
      -- What was read together, by an import or after an outage, is not to be compared together for ever.
      reconcile_at = case when ${whole}
        then ${new Date(pass.now)}::timestamptz + (0.75 + random() / 2) * ${ms(rhythm.reconcileEveryMs)} else reconcile_at end,
      drift = case when ${pass.kind === 'reconcile'} then ${plan.differing}::int else drift end,
      untagged_seen = case when ${whole} then 0 else untagged_seen end + ${pass.counts.untagged},
      hidden_seen = case when ${whole} then 0 else hidden_seen end + ${pass.counts.hidden},
      left_out_seen = case when ${whole} then 0 else left_out_seen end + ${pass.counts.leftOut},
      parked = ${parked ? JSON.stringify(parked) : null}::jsonb,
      state = ${state},
      -- A reconcile asks in another way, so it says nothing about what hinders the stream.
      state_reason = case when ${parked !== null} then 'mass_deletion'
        when ${pass.kind === 'reconcile'} then nullif(state_reason, 'mass_deletion')
        else ${pass.hindrance}::text end,
      state_since = case when state = ${state} then state_since else ${new Date(pass.now)} end,
      -- A comparison that fails every time must not be tried again at once because the changes before it went well.
      failures = case when reconcile_wanted and ${!whole} then failures else 0 end,
      strikes = 0, first_strike_at = null, next_probe_at = null, hold_until = null, config_fault = null,
      -- Spread over +-25 %, so that calendars that were set up together do not ask together for ever.
      -- What was told while this pass ran may not be in it.
      next_poll_at = case when greatest(pushed_at, reconcile_asked_at) > push_taken_at then now() + interval '1 second'
        else now() + (0.75 + random() / 2) * cadenced.poll_distance(calendar_id, ${ms(rhythm.pollEveryMs)}, ${ms(rhythm.pollWithPushMs)}) end
     where calendar_id = ${calendarId}`.execute(trx);
  if (!['denied', 'gone', 'needs_consent'].includes(calendar.state)) return [];
  return [
    calendarEventDraft('calendar.reconnected', { ...calendar, state }, new Date(pass.now), {
      disconnected_at: calendar.state_since,
    }),
  ];
}
