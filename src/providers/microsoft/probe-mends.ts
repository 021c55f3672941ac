import type { Failure } from '../../domain/failure.ts';

/** What an administrator can do about what `doctor` found at Microsoft. */

export const CREDENTIAL_MEND =
  'check the tenant, the client id, and that the secret or certificate is registered and not expired';
export const CALENDAR_MEND =
  'grant the application permission Calendars.Read with consent of an administrator, let the access policy include this mailbox (changes take over an hour), and check that it has an Exchange Online licence';
export const DIRECTORY_MEND =
  'grant the application permission User.Read.All with consent of an administrator';
export const RESTRICTION_MEND =
  'take back the consent to Calendars.Read in Entra where RBAC for Applications grants it, or restrict it by an application access policy; grants add up, and a change can take over an hour';
export const ATTENDANCE_MEND =
  'grant OnlineMeetings.Read.All and OnlineMeetingArtifact.Read.All, and give this organizer a Teams application access policy (New-CsApplicationAccessPolicy; it takes up to 30 minutes)';
export const BUG_MEND = 'nothing to mend; tell the makers of cadenced';

/** No answer came; `aborted` because `doctor` would wait no longer. */
const NO_ANSWER = new Set(['network', 'timeout', 'aborted']);
/** Something was answered, in words that Microsoft does not use. */
const OF_ANOTHER = new Set(['unreadable_answer', 'unexpected_redirect', 'token_unreadable']);

/**
 * What to do about a failure: a grant is missing only where Microsoft itself refused.
 * @param host that was asked
 * @param grant what to do where it refused
 */
export function mendOf({ kind, code }: Failure, host: string, grant: string): string {
  if (code === 'certificate_untrusted') {
    return `a proxy or a private endpoint shows a certificate for ${host} that this machine does not trust: add its authority to NODE_EXTRA_CA_CERTS`;
  }
  if (kind === 'throttled') return 'try again later; it passes by itself';
  if (kind === 'bug') return BUG_MEND;
  if (kind !== 'transient') return grant;
  if (NO_ANSWER.has(code)) {
    return `let this machine reach ${host}: see its name, the firewall, and the proxy (HTTPS_PROXY counts together with NODE_USE_ENV_PROXY=1)`;
  }
  if (OF_ANOTHER.has(code)) return `see what answers in place of ${host}: a proxy, or a page to log in at`;
  return 'try again in some minutes';
}
