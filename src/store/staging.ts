import { type Kysely, sql, type Transaction } from 'kysely';
import type { StagedCandidate } from '../domain/candidates.ts';
import type { StagedCopy, StagedRemoval } from '../domain/pass.ts';
import type { FinishedPass, KnownNames, StagedRows } from '../ports/sync-store.ts';
import type { DB } from './database.generated.ts';

/** Rows that one statement carries: large enough to be quick, small enough to keep memory flat. */
const ROWS_A_STATEMENT = 500;

/**
 * Stages rows of a pass in short transactions of their own. Nobody sees them until the pass is applied.
 */
export async function stageRows(
  db: Kysely<DB>,
  calendarId: number,
  passId: string,
  rows: readonly StagedRows[],
): Promise<void> {
  const all = rows.flatMap(asRows);
  for (let at = 0; at < all.length; at += ROWS_A_STATEMENT) {
    await sql`
      insert into cadenced.staged_copy (calendar_id, pass_id, kind, source_id, series_id, lineage, payload)
      select ${calendarId}, ${passId}::uuid, kind, source_id, series_id, lineage, payload
        from rows from (jsonb_to_recordset(${JSON.stringify(all.slice(at, at + ROWS_A_STATEMENT), storable)}::jsonb)
          as (kind text, source_id text, series_id text, lineage text, payload jsonb)) with ordinality
       order by ordinality`.execute(db);
  }
}

type StagedRow = {
  readonly kind: 'copy' | 'removed' | 'candidate';
  readonly source_id: string;
  readonly series_id: string | null;
  readonly lineage: string | null;
  readonly payload: StagedCopy | StagedRemoval | StagedCandidate;
};

const asRows = ({ copies, removals, candidates = [] }: StagedRows): StagedRow[] => [
  ...removals.map((removal) => ({
    kind: 'removed' as const,
    source_id: removal.sourceId,
    series_id: null,
    lineage: null,
    payload: removal,
  })),
  ...copies.map((copy) => ({
    kind: 'copy' as const,
    source_id: copy.sourceId,
    series_id: copy.seriesId,
    lineage: copy.lineage,
    payload: copy,
  })),
  ...candidates.map((candidate) => ({
    kind: 'candidate' as const,
    source_id: candidate.sourceId,
    series_id: candidate.seriesId,
    lineage: null,
    payload: candidate,
  })),
];

/** Text that Postgres can hold: it knows neither NUL nor half a surrogate pair, and one odd title would stop a calendar. */
const storable = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;

/**
 * Everything a pass found, in the order of arrival: what it staged is taken off the stage, the rest follows. Where a
 * copy and a removal of one id cannot be compared by their dates, the later word counts: an event deleted while its
 * calendar is read stands on an early page and is removed on a late one. Of a candidate the last word counts.
 */
export async function takeFound(
  trx: Transaction<DB>,
  calendarId: number,
  pass: Pick<FinishedPass, 'passId' | 'staged' | 'rest' | 'complete'>,
): Promise<{ copies: StagedCopy[]; removals: StagedRemoval[]; candidates: StagedCandidate[] }> {
  // A pass whose process was killed could not forget what it staged; once a day is often enough to do it for it.
  if (pass.complete !== null) await discardStaged(trx, calendarId, null);
  // As if they had been on the stage: what is stored may depend on how the pages fell only in its order.
  const rest = JSON.parse(JSON.stringify(pass.rest.flatMap(asRows), storable)) as StagedRow[];
  const rows = [...(pass.staged ? await takeStaged(trx, calendarId, pass.passId) : []), ...rest];
  const copies = new Map<string, StagedCopy[]>();
  const removals = new Map<string, StagedRemoval[]>();
  const candidates = new Map<string, StagedCandidate>();
  const undated = (those: ReadonlyArray<{ readonly updatedAt: number | null }> | undefined) =>
    those?.some((one) => one.updatedAt === null) ?? false;
  for (const { kind, payload } of rows) {
    if (kind === 'copy') {
      const copy = payload as StagedCopy;
      const earlier = removals.get(copy.sourceId);
      if (undated(earlier) || (earlier && copy.updatedAt === null)) removals.delete(copy.sourceId);
      append(copies, copy);
    } else if (kind === 'candidate') {
      const candidate = payload as StagedCandidate;
      candidates.set(candidate.sourceId, candidate);
    } else {
      const removal = payload as StagedRemoval;
      const earlier = copies.get(removal.sourceId);
      if (undated(earlier) || (earlier && removal.updatedAt === null)) copies.delete(removal.sourceId);
      append(removals, removal);
    }
  }
  return {
    copies: [...copies.values()].flat(),
    removals: [...removals.values()].flat(),
    candidates: [...candidates.values()],
  };
}

async function takeStaged(
  trx: Transaction<DB>,
  calendarId: number,
  passId: string,
): Promise<Array<Pick<StagedRow, 'kind' | 'payload'>>> {
  const { rows } = await sql<Pick<StagedRow, 'kind' | 'payload'>>`
    with taken as (
      delete from cadenced.staged_copy
       where calendar_id = ${calendarId} and pass_id = ${passId}::uuid
      returning kind, payload, position
    )
    select kind, payload from taken order by position`.execute(trx);
  return rows;
}

function append<T extends { readonly sourceId: string }>(rows: Map<string, T[]>, row: T): void {
  const those = rows.get(row.sourceId);
  if (those) those.push(row);
  else rows.set(row.sourceId, [row]);
}

/** Forgets a pass, if one is named, and what passes that died left behind more than a day ago. */
export async function discardStaged(
  db: Kysely<DB>,
  calendarId: number,
  passId: string | null,
): Promise<void> {
  await sql`
    delete from cadenced.staged_copy
     where calendar_id = ${calendarId}
       and (pass_id = ${passId}::uuid or staged_at < now() - interval '1 day')`.execute(db);
}

/** Which ids stand on this calendar and which lineages stand on any. */
export async function knownNames(
  db: Kysely<DB>,
  calendarId: number,
  names: { readonly sourceIds: readonly string[]; readonly lineages: readonly string[] },
): Promise<KnownNames> {
  const known = {
    sourceIds: new Set<string>(),
    seriesIds: new Set<string>(),
    lineages: new Set<string>(),
    seriesOf: new Map<string, string>(),
  };
  const { sourceIds, lineages } = names;
  const [ids, meetings] = await Promise.all([
    sourceIds.length === 0
      ? null
      : sql<{ source_id: string; series_id: string | null; by: 'source' | 'series' }>`
          select source_id, series_id, 'source' as by from cadenced.event_copy
           where calendar_id = ${calendarId} and source_id = any (${sourceIds}) and removed_at is null
          union all
          select distinct series_id, series_id, 'series' from cadenced.event_copy
           where calendar_id = ${calendarId} and series_id = any (${sourceIds}) and removed_at is null`.execute(
          db,
        ),
    lineages.length === 0
      ? null
      : sql<{ lineage: string }>`
          select distinct lineage from cadenced.event_copy
           where lineage = any (${lineages}) and removed_at is null`.execute(db),
  ]);
  for (const row of ids?.rows ?? []) {
    if (row.by === 'series') known.seriesIds.add(row.source_id);
    else known.sourceIds.add(row.source_id);
    if (row.by === 'source' && row.series_id !== null) known.seriesOf.set(row.source_id, row.series_id);
  }
  for (const row of meetings?.rows ?? []) known.lineages.add(row.lineage);
  return known;
}
