import type PQueue from 'p-queue';
import type { ConferenceRecord, Harvest } from '../domain/conference-record.ts';
import { type Directory, providerOf, statementsOf } from '../domain/evidence.ts';
import { asFailure, type Failure, retryable } from '../domain/failure.ts';
import {
  HARVEST_SOURCES,
  type HarvestSource,
  harvestWindow,
  lateLookAt,
  nextHarvestAt,
  retryHarvestAt,
} from '../domain/harvest.ts';
import { recordsOf } from '../domain/record-owner.ts';
import type { EvidenceSource } from '../ports/evidence-source.ts';
import type { DueHarvest, EvidenceStore, HarvestResult } from '../ports/evidence-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export type CollectEvidenceDeps = {
  readonly store: EvidenceStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Sources that are set up. A meeting of another source waits for nothing: it cannot be told about. */
  readonly sources: readonly EvidenceSource[];
  /** How many meetings are asked about at once. */
  readonly queue: PQueue;
  /** Whether something that concerns everybody is to be told now; `false` when it was told a while ago. */
  readonly tellOnce?: (what: string) => boolean;
};

const BATCH = 100;

/**
 * Asks the conference providers about every meeting that is due, and keeps what they say. No question is asked
 * inside a transaction, and the failure of one meeting is its own: it is asked again later.
 * @returns how many meetings were asked about, how many statements were new, how many questions failed
 */
export async function collectEvidence(
  deps: CollectEvidenceDeps,
  signal: AbortSignal,
): Promise<{ asked: number; recorded: number; failed: number }> {
  const total = { asked: 0, recorded: 0, failed: 0 };
  for (;;) {
    const now = deps.clock.now().toJSDate();
    const due = await deps.store.loadDueHarvests(now, BATCH);
    if (due.length === 0 || signal.aborted) return total;
    const looks = await Promise.all(due.map((meeting) => deps.queue.add(() => ask(deps, meeting, signal))));
    // Stopped in the middle: what was not asked stays due, and an aborted request says nothing about a source.
    if (signal.aborted) return total;
    const understood = await understandAll(deps, looks, now);
    const recorded = await deps.store.recordHarvests(
      understood.map(({ result }) => result),
      now,
    );
    total.asked += due.length;
    total.recorded += recorded;
    total.failed += understood.filter(({ failed }) => failed).length;
  }
}

type Look = { readonly meeting: DueHarvest; readonly answer: Harvest | Failure };

async function ask(deps: CollectEvidenceDeps, meeting: DueHarvest, signal: AbortSignal): Promise<Look> {
  const source = deps.sources.find((candidate) => candidate.source === meeting.source);
  if (source === undefined) return { meeting, answer: { found: 'cannot_tell', reason: 'no_permission' } };
  const { organizer, conference } = meeting;
  if (conference === null) return { meeting, answer: { found: 'cannot_tell', reason: 'not_found' } };
  // Both providers answer organizers only, and nobody of ours is one.
  if (organizer === null) {
    return { meeting, answer: { found: 'cannot_tell', reason: 'external_organizer' } };
  }
  try {
    const window = harvestWindow(meeting.source, meeting);
    const itself = meeting.neighbours.find(({ occurrenceId }) => occurrenceId === meeting.occurrenceId);
    const named = itself?.eventIds === undefined ? {} : { eventIds: itself.eventIds };
    return { meeting, answer: await source.read({ organizer, conference, window, ...named }, signal) };
  } catch (error) {
    return { meeting, answer: asFailure(error) };
  }
}

type Understood = { readonly result: HarvestResult; readonly failed: boolean };

/** Names the people of all answers with one look into the directory for each source. */
async function understandAll(
  deps: CollectEvidenceDeps,
  looks: readonly Look[],
  at: Date,
): Promise<Understood[]> {
  const now = at.getTime();
  const answered = looks.map((look) => ({ look, kept: keptOf(look, now) }));
  const directories = new Map<HarvestSource, Directory>();
  for (const source of HARVEST_SOURCES) {
    const records = answered.flatMap(({ look, kept }) => (look.meeting.source === source ? kept.over : []));
    const participants = records.flatMap((record) => record.participants);
    if (participants.length === 0) continue;
    const directory = await deps.store.loadDirectory({
      provider: providerOf(source),
      accounts: participants.flatMap(({ providerUserId }) =>
        providerUserId === null ? [] : [providerUserId],
      ),
      addresses: participants.flatMap(({ addresses }) => addresses),
    });
    directories.set(source, directory);
  }
  return answered.map(({ look, kept }) =>
    understand(deps, look, kept, directories.get(look.meeting.source) ?? NOBODY, now),
  );
}

const NOBODY: Directory = { byAccount: new Map(), byAddress: new Map(), groups: new Set() };

type Kept = {
  /** The records that are of this meeting and over. */
  readonly over: readonly ConferenceRecord[];
  readonly found: boolean;
  /** Whether the source is still waited for. */
  readonly waits: boolean;
  readonly next: number | null;
};

function keptOf({ meeting, answer }: Look, now: number): Kept {
  if (!('found' in answer) || answer.found === 'cannot_tell') {
    return { over: [], found: false, waits: false, next: null };
  }
  const records =
    answer.found === 'nothing'
      ? []
      : recordsOf(meeting.source, answer.records, meeting.neighbours, meeting.occurrenceId);
  const open = records.some((record) => record.until === null);
  const said = records.length === 0 ? 'nothing' : open ? 'open' : 'records';
  const next = nextHarvestAt(meeting.source, meeting.end, now, said);
  // Rows are never changed, so a call that goes on is kept when it is over, or when nobody asks any more.
  const over = records.filter((record) => record.until !== null || next === null);
  return {
    over,
    found: records.length > 0,
    waits: next !== null && meeting.word === null,
    next: next ?? (said === 'nothing' ? lateLookAt(meeting.source, meeting.end, now) : null),
  };
}

function understand(
  deps: CollectEvidenceDeps,
  { meeting, answer }: Look,
  { over, found, waits, next }: Kept,
  directory: Directory,
  now: number,
): Understood {
  const base = { occurrenceId: meeting.occurrenceId, source: meeting.source, statements: [], learnt: [] };
  if (!('found' in answer)) {
    return {
      result: { ...base, ...asKept(meeting, afterFailure(deps, meeting, answer, now)) },
      failed: true,
    };
  }
  if (answer.found === 'cannot_tell') {
    const said = { final: { state: 'cannot_tell' as const }, dueAt: null, answer: answer.reason };
    return { result: { ...base, ...asKept(meeting, said) }, failed: false };
  }
  const stated = over.map((record) => statementsOf(meeting.source, record, directory, now));
  const withheld = stated.find((one) => one.withheld !== null)?.withheld ?? null;
  if (withheld !== null) tellOfNames(deps, meeting, withheld);
  const { source, end, attempts } = meeting;
  // Whoever may not be named today may be once somebody grants it, for as long as the record is kept.
  const due = next ?? (withheld === null ? null : retryHarvestAt(source, end, attempts, now, null));
  const learnt = stated.flatMap((one) => one.learnt);
  const said = {
    final: waits ? null : { state: 'final' as const },
    dueAt: due === null ? null : new Date(due),
    answer: found ? 'records' : (meeting.word ?? 'nothing'),
  };
  const wakes = learnt.length > 0 || speaksUp(meeting, said);
  return {
    result: { ...base, ...said, wakes, learnt, statements: stated.flatMap((one) => one.statements) },
    failed: false,
  };
}

type Said = Pick<HarvestResult, 'final' | 'dueAt' | 'answer'>;

/** Whether a word is the first that is final, or the last there will be: looks in between are nobody's business. */
function speaksUp({ word }: DueHarvest, { final, dueAt }: Said): boolean {
  return final !== null && (word === null || dueAt === null);
}

/** A word that was final stays so, whatever keeps the source from repeating it. */
function asKept(meeting: DueHarvest, said: Said): Said & { readonly wakes: boolean } {
  const { word } = meeting;
  const kept: Said = word === null ? said : { ...said, final: { state: 'final' }, answer: word };
  return { ...kept, wakes: speaksUp(meeting, kept) };
}

function afterFailure(deps: CollectEvidenceDeps, meeting: DueHarvest, failed: Failure, now: number): Said {
  const refused = failed.kind === 'config' || failed.kind === 'auth';
  const answer = refused ? 'no_permission' : failed.kind === 'gone' ? 'not_found' : failed.code;
  tell(deps, meeting, failed);
  const hopeless = !refused && failed.kind !== 'bug' && !retryable(failed.kind);
  const { source, end, attempts } = meeting;
  const dueAt = hopeless ? null : retryHarvestAt(source, end, attempts, now, failed.retryAfterMs ?? null);
  if (dueAt === null) return { final: { state: 'cannot_tell' }, dueAt, answer };
  return { final: null, dueAt: new Date(dueAt), answer };
}

/** Names that are withheld are, as a rule, everybody's. */
function tellOfNames({ log, tellOnce }: CollectEvidenceDeps, { source }: DueHarvest, code: string): void {
  if (tellOnce === undefined || tellOnce(`${source} names ${code}`))
    log.warn({ source, code }, 'a conference source may not name participants, who stay unidentified');
}

/** A grant that is missing concerns every meeting: it is told once to whoever can mend it. */
function tell(deps: CollectEvidenceDeps, meeting: DueHarvest, failed: Failure): void {
  const { source, occurrenceId } = meeting;
  const facts = { source, kind: failed.kind, code: failed.code };
  if (failed.kind === 'bug') {
    deps.log.error(
      { occurrenceId, ...facts },
      'asking a conference source failed in a way nobody planned for',
    );
  } else if (failed.kind !== 'config' || deps.tellOnce === undefined) {
    deps.log.warn({ occurrenceId, ...facts }, 'a conference source could not be asked');
  } else if (deps.tellOnce(`${source} ${failed.code}`)) {
    const { detail } = failed;
    deps.log.warn({ ...facts, detail }, 'a conference source refuses to tell of meetings');
  } else deps.log.debug({ occurrenceId, ...facts }, 'a conference source could not be asked');
}
