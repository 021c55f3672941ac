import type PQueue from 'p-queue';
import type { ConferenceRecord, Harvest } from '../domain/conference-record.ts';
import { type Directory, meetingOf, providerOf, statementsOf } from '../domain/evidence.ts';
import { asFailure, type Failure, retryable } from '../domain/failure.ts';
import {
  HARVEST_SOURCES,
  type HarvestSource,
  harvestWindow,
  nextHarvestAt,
  retryHarvestAt,
} from '../domain/harvest.ts';
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
    return { meeting, answer: await source.read({ organizer, conference, window }, signal) };
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
  readonly next: number | null;
};

function keptOf({ meeting, answer }: Look, now: number): Kept {
  if (!('found' in answer) || answer.found === 'cannot_tell') return { over: [], found: false, next: null };
  const records =
    answer.found === 'nothing'
      ? []
      : answer.records.filter(
          (record) => meetingOf(meeting.source, record, meeting.neighbours) === meeting.occurrenceId,
        );
  const open = records.some((record) => record.until === null);
  const said = records.length === 0 ? 'nothing' : open ? 'open' : 'records';
  const next = nextHarvestAt(meeting.source, meeting.end, now, said);
  // Rows are never changed, so a call that goes on is kept when it is over, or when nobody asks any more.
  const over = records.filter((record) => record.until !== null || next === null);
  return { over, found: records.length > 0, next };
}

function understand(
  deps: CollectEvidenceDeps,
  { meeting, answer }: Look,
  { over, found, next }: Kept,
  directory: Directory,
  now: number,
): Understood {
  const base = { occurrenceId: meeting.occurrenceId, source: meeting.source, statements: [], learnt: [] };
  if (!('found' in answer)) {
    return { result: { ...base, ...afterFailure(deps, meeting, answer, now) }, failed: true };
  }
  if (answer.found === 'cannot_tell') {
    const final = { state: 'cannot_tell' as const };
    return { result: { ...base, final, dueAt: null, answer: answer.reason }, failed: false };
  }
  const stated = over.map((record) => statementsOf(meeting.source, record, directory, now));
  return {
    result: {
      ...base,
      statements: stated.flatMap((one) => one.statements),
      learnt: stated.flatMap((one) => one.learnt),
      final: next === null ? { state: 'final' } : null,
      dueAt: next === null ? null : new Date(next),
      answer: found ? 'records' : 'nothing',
    },
    failed: false,
  };
}

function afterFailure(
  deps: CollectEvidenceDeps,
  meeting: DueHarvest,
  failed: Failure,
  now: number,
): Pick<HarvestResult, 'final' | 'dueAt' | 'answer'> {
  const refused = failed.kind === 'config' || failed.kind === 'auth';
  const answer = refused ? 'no_permission' : failed.kind === 'gone' ? 'not_found' : failed.code;
  tell(deps, meeting, failed);
  const hopeless = !refused && failed.kind !== 'bug' && !retryable(failed.kind);
  const { source, end, attempts } = meeting;
  const dueAt = hopeless ? null : retryHarvestAt(source, end, attempts, now, failed.retryAfterMs ?? null);
  if (dueAt === null) return { final: { state: 'cannot_tell' }, dueAt, answer };
  return { final: null, dueAt: new Date(dueAt), answer };
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
