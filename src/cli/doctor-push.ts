import { type Kysely, sql } from 'kysely';
import type { Settings } from '../settings/settings.ts';
import type { DB } from '../store/database.generated.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { counted } from './wording.ts';

const PATIENCE_MS = 10_000;
const PROXY = 'let the proxy behind CADENCED_PUBLIC_URL forward every path to CADENCED_HOST:CADENCED_PORT';

/**
 * What is wrong with a certificate, by Node's code for it (https://nodejs.org/api/tls.html#x509-certificate-error-codes).
 * Providers refuse each of them, so none is a matter of where it is seen from.
 */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_REVOKED: 'was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is not in the name of this host',
  HOSTNAME_MISMATCH: 'is not in the name of this host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'goes back to a root that is not publicly trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'comes without its whole chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'is of an issuer that is not publicly trusted, or comes without its chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is of an issuer that is not publicly trusted, or comes without its chain',
  CERT_UNTRUSTED: 'is not trusted',
  CERT_REJECTED: 'is not trusted',
  CERT_CHAIN_TOO_LONG: 'has too long a chain',
  CERT_SIGNATURE_FAILURE: 'has a signature that does not fit',
  INVALID_CA: 'is of an issuer that may not issue any',
  INVALID_PURPOSE: 'was not made for servers',
  PATH_LENGTH_EXCEEDED: 'has too long a chain',
};

/** What stands between a calendar and push, by the words of `sync_health.push`. */
const MENDS: Readonly<Record<string, string>> = {
  refused:
    'push_url_refused: the address must be https with a certificate that is publicly trusted; for Google also verify the domain in Search Console under the project of the service account. scope_missing: grant the calendar scope',
  failing: 'it is tried again by itself, hourly at most; until then calendars are polled',
  unverified:
    'channels are open and nothing has come through: check that the providers can reach CADENCED_PUBLIC_URL from outside, past firewall and access rules',
};

/** Whether providers can reach the daemon: asked of the public address itself, and of what came through it so far. */
export async function pushFindings(
  db: Kysely<DB>,
  settings: Settings,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { publicUrl } = settings.http;
  if (publicUrl === null) {
    return [
      warn(
        'push',
        'no public address: calendars are polled, and a change may take minutes',
        'set CADENCED_PUBLIC_URL to the https address under which providers reach the daemon',
      ),
    ];
  }
  const base = publicUrl.replace(/\/$/, '');
  return [...(await addressFindings(base, signal)), ...(await channelFindings(db))];
}

async function addressFindings(base: string, signal: AbortSignal): Promise<Finding[]> {
  const what = `push, ${base}`;
  const ask = (path: string, method: string) =>
    fetch(`${base}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
  try {
    const alive = await ask('/healthz', 'GET');
    await alive.arrayBuffer();
    if (!alive.ok) return [fail(what, `GET /healthz answers ${alive.status}, not 200`, PROXY)];
    // A notification that names no channel is taken and dropped: it tells that the path is open.
    const taken = await ask('/notifications/google', 'POST');
    await taken.arrayBuffer();
    if (taken.status !== 202) {
      return [fail(what, `POST /notifications/google answers ${taken.status}, not 202`, PROXY)];
    }
    const robots = await ask('/robots.txt', 'GET');
    if (robots.ok && /^\s*disallow:\s*\S/im.test(await robots.text())) {
      return [
        fail(
          what,
          'robots.txt forbids something, and the notifier of Google obeys it',
          'serve no robots.txt under this host',
        ),
      ];
    }
    return [ok(what, 'answers here; whether it does from outside, the channels below tell')];
  } catch (problem) {
    if (signal.aborted) throw problem;
    const code = codeOf(problem);
    const fault = CERTIFICATE_FAULTS[code];
    if (fault !== undefined) {
      return [
        fail(
          what,
          `the certificate ${fault} (${code}), and the providers deliver to no such address`,
          'let CADENCED_PUBLIC_URL show a publicly trusted certificate in the name of its host, with its whole chain',
        ),
      ];
    }
    return [
      warn(
        what,
        'does not answer from here',
        'start the daemon and try again; some networks cannot reach their own public address, then see the channels below',
      ),
    ];
  }
}

/** Node's code of what broke a connection, which `fetch` hides in the cause. */
function codeOf(problem: unknown): string {
  const cause = problem instanceof Error ? problem.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

async function channelFindings(db: Kysely<DB>): Promise<Finding[]> {
  const { rows } = await sql<{ provider: string; push: string; reason: string | null; calendars: number }>`
    select provider, push, push_reason as reason, count(*)::int as calendars from mentoring.sync_health
     where push is not null group by provider, push, push_reason order by provider, push, push_reason`.execute(
    db,
  );
  return rows.map(({ provider, push, reason, calendars }) => {
    const what = `push, ${provider}`;
    const told = `${counted(calendars, 'calendar')} ${push}${reason === null ? '' : `: ${reason}`}`;
    const mend = MENDS[push];
    if (mend === undefined) return ok(what, told);
    return push === 'refused' ? fail(what, told, mend) : warn(what, told, mend);
  });
}
