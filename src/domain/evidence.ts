import type { ConferenceParticipant, ConferenceRecord } from './conference-record.ts';
import type { HarvestSource } from './harvest.ts';
import type { Instant, Provider } from './observation.ts';

/**
 * What is known about who was there. Rows are only ever added; what a later row takes back is decided here, and
 * never by the order in which rows were read.
 */

export const EVIDENCE_SOURCES = [
  'meet',
  'reports',
  'teams',
  'answer',
  'correction',
  'external',
  'rsvp',
] as const;
export type EvidenceSourceName = (typeof EVIDENCE_SOURCES)[number];

/**
 * - `record`: a conference took place. With nobody unidentified in it, and unless it is partial, it also proves who
 *   was *not* there.
 * - `presence`: `personId` was there from `from` until `until`.
 * - `guest`, `device`: somebody or something was there and could not be identified.
 * - `no_record`, `cannot_tell`: the source has nothing, or cannot speak. Neither is ever an absence.
 * - `met`, `not_met`: somebody's word about the session; in an answer `personId` is who says it, in a correction
 *   or an external statement it is NULL.
 * - `absent`, `excused`: somebody's word about `personId`.
 * - `withdrawn`: takes back the earlier row of the same source that `withdraws` names, or, without one, everything
 *   the same source said before about the same person.
 */
export const EVIDENCE_KINDS = [
  'record',
  'presence',
  'guest',
  'device',
  'no_record',
  'cannot_tell',
  'met',
  'not_met',
  'absent',
  'excused',
  'withdrawn',
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

export type Evidence = {
  readonly evidenceId: number;
  readonly source: EvidenceSourceName;
  readonly kind: EvidenceKind;
  readonly personId: number | null;
  readonly from: Instant | null;
  readonly until: Instant | null;
  readonly reference: string;
  readonly seenAt: Instant;
  /** Whose word it is, when it speaks of somebody else. */
  readonly by: number | null;
  /** The reference of the row that a `withdrawn` row takes back. */
  readonly withdraws: string | null;
  /** For a `record` of another system: it lists everybody who was there. */
  readonly complete: boolean;
  /** For a `record` of a conference source: it need not show everybody. */
  readonly partial?: boolean;
  /** For a `guest`: they came by the account of a group, which may be anybody of it. */
  readonly ofGroup?: boolean;
};

/** In the order in which the daemon learnt it, whatever order it was read in. */
export function inOrder(evidence: readonly Evidence[]): Evidence[] {
  return [...evidence].sort((one, other) => one.seenAt - other.seenAt || one.evidenceId - other.evidenceId);
}

/** What still stands: without withdrawn rows, and of words only each speaker's last ones. */
export function standing(evidence: readonly Evidence[]): Evidence[] {
  let kept: Evidence[] = [];
  for (const row of inOrder(evidence)) {
    kept = kept.filter((earlier) => earlier.source !== row.source || !replaces(row, earlier));
    if (row.kind !== 'withdrawn') kept.push(row);
  }
  return kept;
}

/** Whether a row takes an earlier one of the same source back. Records only add up. */
function replaces(row: Evidence, earlier: Evidence): boolean {
  if (row.withdraws !== null) return earlier.reference === row.withdraws;
  if (row.source === 'answer') {
    // Who says "we met" after "she did not come" means all of it.
    const sameSpeaker = (row.by ?? row.personId) === (earlier.by ?? earlier.personId);
    const ofTheSession = !isOfAPerson(row) || !isOfAPerson(earlier);
    return sameSpeaker && (ofTheSession || row.personId === earlier.personId);
  }
  if (row.source === 'correction' || row.kind === 'withdrawn') return row.personId === earlier.personId;
  return false;
}

function isOfAPerson(row: Evidence): boolean {
  return row.kind === 'absent' || row.kind === 'excused' || row.kind === 'presence';
}

/** How people are found: provider ids first, then every address they are known by. */
export type Directory = {
  readonly byAccount: ReadonlyMap<string, number>;
  readonly byAddress: ReadonlyMap<string, number>;
  /** Addresses of groups: an account under one may be used by anybody of it. */
  readonly groups: ReadonlySet<string>;
};

/** A row of evidence before it is stored. */
export type Statement = {
  readonly kind: 'record' | 'presence' | 'guest' | 'device';
  readonly personId: number | null;
  readonly from: Instant | null;
  readonly until: Instant | null;
  readonly reference: string;
  /** Never a name or an address: the account id of an unknown person at most. */
  readonly detail: {
    readonly account?: string;
    readonly device?: 'phone' | 'room';
    readonly group?: true;
    readonly partial?: true;
  };
};

/** A provider id met together with the address of a person: remembered, because later records carry the id only. */
export type LearntAccount = {
  readonly provider: Provider;
  readonly accountId: string;
  readonly personId: number;
};

/** The provider whose accounts a source names. */
export function providerOf(source: HarvestSource): Provider {
  return source === 'teams' ? 'microsoft' : 'google';
}

/**
 * What a record states: that it exists, and a stay for each join. Whoever is known by a display name alone stays a guest,
 * because names are not unique and anybody can type one.
 * @param until the end given to a call that goes on, and to those still in it
 * @returns `withheld` why somebody in it stays a guest whom the provider could name; `null` where nobody does
 */
export function statementsOf(
  source: HarvestSource,
  record: ConferenceRecord,
  directory: Directory,
  until: Instant,
): {
  readonly statements: Statement[];
  readonly learnt: LearntAccount[];
  readonly withheld: string | null;
} {
  const provider = providerOf(source);
  const end = Math.max(record.until ?? until, record.from);
  const statements: Statement[] = [
    {
      kind: 'record',
      personId: null,
      from: record.from,
      until: end,
      // Two names, because what is kept is never changed and a later look may know that it was whole.
      reference: record.partial === true ? `${record.recordId}#partial` : record.recordId,
      detail: record.partial === true ? { partial: true } : {},
    },
  ];
  const learnt: LearntAccount[] = [];
  let withheld: string | null = null;
  record.participants.forEach((participant, index) => {
    const { personId, byAddress } = personOf(participant, provider, directory);
    const accountId = participant.providerUserId;
    if (byAddress && personId !== null && accountId !== null) learnt.push({ provider, accountId, personId });
    if (personId === null) withheld ??= participant.withheld ?? null;
    const who = accountId ?? `${participant.kind}-${index}`;
    const stays = participant.intervals.length === 0 ? [{ from: null, until: null }] : participant.intervals;
    for (const stay of stays) {
      statements.push({
        ...kindOf(participant, personId, directory),
        from: stay.from,
        until: stay.from === null ? null : Math.max(stay.until ?? end, stay.from),
        reference: `${record.recordId}#${who}@${stay.from ?? 'unknown'}`,
      });
    }
  });
  return { statements, learnt, withheld };
}

function kindOf(
  participant: ConferenceParticipant,
  personId: number | null,
  { groups }: Directory,
): Pick<Statement, 'kind' | 'personId' | 'detail'> {
  if (personId !== null) return { kind: 'presence', personId, detail: {} };
  if (participant.kind === 'phone' || participant.kind === 'room') {
    return { kind: 'device', personId: null, detail: { device: participant.kind } };
  }
  const account = participant.providerUserId;
  const group = participant.kind === 'user' && participant.addresses.some((address) => groups.has(address));
  const detail = { ...(account === null ? {} : { account }), ...(group ? { group: true as const } : {}) };
  return { kind: 'guest', personId: null, detail };
}

function personOf(
  participant: ConferenceParticipant,
  provider: Provider,
  directory: Directory,
): { readonly personId: number | null; readonly byAddress: boolean } {
  // A room may be signed in with an account of its own; it is never one of the people in it.
  if (participant.kind !== 'user') return { personId: null, byAddress: false };
  const account = participant.providerUserId;
  const known = account === null ? undefined : directory.byAccount.get(`${provider}:${account}`);
  if (known !== undefined) return { personId: known, byAddress: false };
  const found = participant.addresses.map((address) => directory.byAddress.get(address));
  const person = found.find((id) => id !== undefined) ?? null;
  return { personId: person, byAddress: person !== null };
}
