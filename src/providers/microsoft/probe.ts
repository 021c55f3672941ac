import { asFailure, type Failure, isFailure } from '../../domain/failure.ts';
import type { Graph } from './client.ts';
import type { TokenSource } from './credentials.ts';
import type { Directory } from './directory.ts';
import { pageOf } from './wire.ts';

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

/**
 * Looks, without changing anything, at whatever reading `address` needs: the credential, the mailbox, ids that
 * survive a move, the directory, and Teams' attendance.
 */
export async function probeMailbox(
  parts: { readonly graph: Graph; readonly tokens: TokenSource; readonly directory: Directory },
  address: string,
  signal: AbortSignal,
): Promise<ProbeFinding[]> {
  const { graph, tokens, directory } = parts;
  const ask = { mailbox: address, signal };
  const findings: ProbeFinding[] = [];
  try {
    await tokens.token();
    findings.push(well('credential', 'Entra gave a token'));
  } catch (error) {
    // Everything below would fail for the same reason and say less.
    return [ill('credential', asFailure(error), CREDENTIAL_MEND)];
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
  } catch (error) {
    findings.push(ill('calendar', asFailure(error), CALENDAR_MEND));
  }

  const found = await directory.userOf(address, signal).catch(asFailure);
  if (isFailure(found)) findings.push(ill('directory', found, DIRECTORY_MEND));
  else if (found === 'denied') {
    const finding = 'users cannot be read: people are matched by the one address a record shows';
    findings.push({ check: 'directory', ok: false, finding, mend: DIRECTORY_MEND });
  } else if (found === 'unknown') {
    const finding = 'the tenant has no such user';
    findings.push({ check: 'directory', ok: false, finding, mend: 'check the address in the roster' });
  } else {
    findings.push(well('directory', 'the user and their addresses can be read'));
    findings.push(await attendance(graph, found.id, address, signal));
  }
  return findings;
}

async function attendance(
  graph: Graph,
  userId: string,
  address: string,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const filter = encodeURIComponent(`JoinWebUrl eq '${NO_MEETING}'`);
  const path = `/users/${encodeURIComponent(userId)}/onlineMeetings?$filter=${filter}`;
  const failed = await graph.get(path, { mailbox: address, signal }).then(() => null, asFailure);
  // Not finding it is the answer hoped for: it was searched for.
  if (failed === null || failed.status === 404 || failed.status === 400) {
    return well('Teams attendance', 'meetings of this organizer can be found');
  }
  return ill('Teams attendance', failed, ATTENDANCE_MEND);
}

const CREDENTIAL_MEND =
  'check the tenant, the client id, and that the secret or certificate is registered and not expired';
const CALENDAR_MEND =
  'grant the application permission Calendars.Read with consent of an administrator, let the access policy include this mailbox (changes take over an hour), and check that it has an Exchange Online licence';
const DIRECTORY_MEND = 'grant the application permission User.Read.All with consent of an administrator';
const ATTENDANCE_MEND =
  'grant OnlineMeetings.Read.All and OnlineMeetingArtifact.Read.All, and give this organizer a Teams application access policy (New-CsApplicationAccessPolicy; it takes up to 30 minutes)';

function well(check: string, finding: string): ProbeFinding {
  return { check, ok: true, finding, mend: '' };
}

function ill(check: string, failed: Failure, mend: string): ProbeFinding {
  const status = failed.status === undefined ? '' : ` (${failed.status})`;
  const detail = failed.detail === undefined ? '' : `: ${failed.detail}`;
  return { check, ok: false, finding: `${failed.kind}/${failed.code}${status}${detail}`, mend };
}
