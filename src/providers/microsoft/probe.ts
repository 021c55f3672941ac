import { asFailure, type Failure, isFailure } from '../../domain/failure.ts';
import type { Ask, Graph } from './client.ts';
import type { TokenSource } from './credentials.ts';
import type { Directory } from './directory.ts';
import {
  ATTENDANCE_MEND,
  BUG_MEND,
  CALENDAR_MEND,
  CREDENTIAL_MEND,
  DIRECTORY_MEND,
  mendOf,
  RESTRICTION_MEND,
} from './probe-mends.ts';
import { pageOf, resourceOf, type WireEvent, wireEvent } from './wire.ts';

/** One thing `doctor` looked at, and what to do when it is not well. */
export type ProbeFinding = {
  readonly check: string;
  readonly ok: boolean;
  readonly finding: string;
  /** What an administrator can do; empty when all is well. */
  readonly mend: string;
};

/** A link no meeting has. Asking for it shows whether asking is allowed. */
const NO_MEETING = 'https://teams.microsoft.com/l/meetup-join/none';
const DAY_MS = 86_400_000;

export type ProbeParts = {
  readonly graph: Graph;
  readonly tokens: TokenSource;
  readonly directory: Directory;
  /** Who is asked, as a firewall knows them. */
  readonly hosts: { readonly entra: string; readonly graph: string };
};

/**
 * Looks, without changing anything, at whatever reading `address` needs: the credential, the mailbox, ids that
 * survive a move, the directory, and Teams' attendance; and at what Microsoft's documentation leaves open: whether
 * series go by immutable ids, whether private events have words.
 */
export async function probeMailbox(
  { graph, tokens, directory, hosts }: ProbeParts,
  address: string,
  signal: AbortSignal,
): Promise<ProbeFinding[]> {
  const ask = { mailbox: address, signal };
  const findings: ProbeFinding[] = [];
  try {
    await tokens.token();
    findings.push(well('credential', 'Entra gave a token'));
  } catch (error) {
    // Everything below would fail for the same reason and say less.
    const failed = asFailure(error);
    return [ill('credential', failed, mendOf(failed, hosts.entra, CREDENTIAL_MEND))];
  }

  const user = `/users/${encodeURIComponent(address)}`;
  try {
    const year = new Date().getUTCFullYear();
    const window = `startDateTime=${year}-01-01T00:00:00Z&endDateTime=${year}-01-08T00:00:00Z`;
    const { body, headers } = await graph.get(`${user}/calendarView?${window}&$top=1&$select=id`, ask);
    pageOf(body);
    findings.push(well('calendar', 'the calendar can be read'));
    const applied = headers.get('preference-applied') ?? '';
    findings.push(
      /IdType\s*=\s*"?ImmutableId/i.test(applied)
        ? well('immutable ids', 'Graph answers with immutable ids')
        : {
            check: 'immutable ids',
            ok: false,
            finding: 'Graph did not confirm immutable ids: moved events will be matched by their UID only',
            mend: 'see whether a proxy before Graph removes the Prefer header',
          },
    );
    findings.push(...(await eventFindings(graph, user, ask, hosts.graph)));
  } catch (error) {
    const failed = asFailure(error);
    findings.push(ill('calendar', failed, mendOf(failed, hosts.graph, CALENDAR_MEND)));
  }

  const found = await directory.userOf(address, signal).catch(asFailure);
  if (isFailure(found)) {
    findings.push(ill('directory', found, mendOf(found, hosts.graph, DIRECTORY_MEND)));
  } else if (found === 'denied') {
    const finding = 'users cannot be read: people are matched by the one address a record shows';
    findings.push({ check: 'directory', ok: false, finding, mend: DIRECTORY_MEND });
  } else if (found === 'unknown') {
    const finding = 'the tenant has no such user';
    findings.push({ check: 'directory', ok: false, finding, mend: 'check the address in the roster' });
  } else {
    findings.push(well('directory', 'the user and their addresses can be read'));
    findings.push(await attendance(graph, found.id, ask, hosts.graph));
  }
  return findings;
}

/** What can be learnt from the events there are; nothing of them is told. */
async function eventFindings(graph: Graph, user: string, ask: Ask, host: string): Promise<ProbeFinding[]> {
  const iso = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 19);
  const around = `startDateTime=${iso(-30)}Z&endDateTime=${iso(30)}Z`;
  const fields = '$select=id,type,seriesMasterId,sensitivity,subject';
  const view = `${user}/calendarView?${around}&$top=50&${fields}`;
  const events = pageOf((await graph.get(view, ask)).body).value.map((row) => resourceOf(wireEvent, row));
  const findings: ProbeFinding[] = [];
  const seriesId = events.find((event) => event.seriesMasterId)?.seriesMasterId;
  if (seriesId) findings.push(await seriesFinding(graph, user, seriesId, ask, host));
  const secret = events.filter((event) => event.sensitivity === 'private');
  if (secret.length > 0) findings.push(privateFinding(secret));
  return findings;
}

async function seriesFinding(
  graph: Graph,
  user: string,
  seriesId: string,
  ask: Ask,
  host: string,
): Promise<ProbeFinding> {
  const path = `${user}/events/${encodeURIComponent(seriesId)}?$select=id,type`;
  try {
    const master = resourceOf(wireEvent, (await graph.get(path, ask)).body);
    if (master.id === seriesId) return well('series ids', 'series go by immutable ids, too');
    return well('series ids', 'occurrences name their series by another id than it has; either is followed');
  } catch (error) {
    const failed = asFailure(error);
    return ill('series ids', failed, mendOf(failed, host, BUG_MEND));
  }
}

function privateFinding(events: readonly WireEvent[]): ProbeFinding {
  const worded = events.some(({ subject }) => subject);
  return well(
    'private events',
    worded
      ? 'can be matched by their words, which are not kept'
      : 'show no words: tag them by category or mailbox',
  );
}

/**
 * Whether a mailbox that must not be readable is refused. Grants add up: a consent for the whole tenant is not
 * narrowed by a scope in Exchange, and nothing but a try shows it.
 */
export async function probeRefused(
  graph: Graph,
  address: string,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const path = `/users/${encodeURIComponent(address)}/calendarView?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-01-02T00:00:00Z&$top=1&$select=id`;
  const check = 'restriction';
  const outcome = await graph.get(path, { mailbox: address, signal }).then(() => null, asFailure);
  if (outcome === null) {
    const finding = `${address} can be read, and must not be`;
    return { check, ok: false, finding, mend: RESTRICTION_MEND };
  }
  if (outcome.code === 'access_denied') return well(check, `${address} is refused, as it must be`);
  if (outcome.kind === 'gone') {
    const finding = `${address} has no mailbox, so that its refusal proves nothing`;
    return {
      check,
      ok: false,
      finding,
      mend: 'name a mailbox that exists in CADENCED_MICROSOFT_NEGATIVE_PROBE',
    };
  }
  return ill(check, outcome, 'try again');
}

async function attendance(graph: Graph, userId: string, ask: Ask, host: string): Promise<ProbeFinding> {
  const filter = encodeURIComponent(`JoinWebUrl eq '${NO_MEETING}'`);
  const path = `/users/${encodeURIComponent(userId)}/onlineMeetings?$filter=${filter}`;
  const failed = await graph.get(path, ask).then(() => null, asFailure);
  // Not finding it is the answer hoped for: it was searched for.
  if (failed === null || failed.kind === 'gone' || failed.code === 'bad_request') {
    return well('Teams attendance', 'meetings of this organizer can be found');
  }
  return ill('Teams attendance', failed, mendOf(failed, host, ATTENDANCE_MEND));
}

/** Something that is as it must be, or that only needs to be known. */
export function well(check: string, finding: string): ProbeFinding {
  return { check, ok: true, finding, mend: '' };
}

/** Something that could not be looked at, by what came instead. */
export function ill(check: string, failed: Failure, mend: string): ProbeFinding {
  const status = failed.status === undefined ? '' : ` (${failed.status})`;
  const detail = failed.detail === undefined ? '' : `: ${failed.detail}`;
  return { check, ok: false, finding: `${failed.kind}/${failed.code}${status}${detail}`, mend };
}
