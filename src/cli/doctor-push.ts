import { type Kysely, sql } from 'kysely';
import type { Settings } from '../settings/settings.ts';
import type { DB } from '../store/database.generated.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { forbids } from './robots.ts';
import { counted } from './wording.ts';

const PATIENCE_MS = 10_000;
/** As robots.txt names it: https://developers.google.com/search/docs/crawling-indexing/google-special-case-crawlers */
const NOTIFIER = 'APIs-Google';
const GOOGLE_PATH = '/notifications/google';
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
  failing: 'it is tried again by itself, hourly at most; until then calendars are polled',
  unverified:
    'channels are open and nothing has come through: check that the providers can reach CADENCED_PUBLIC_URL from outside, past firewall and access rules',
};

const PUSH_PERMISSION =
  'grant the application permission Calendars.Read with consent of an administrator (Calendars.ReadBasic allows no notifications), and let the access policy include these mailboxes; where both stand, the application has as many subscriptions as it may';
/** Of refused channels, by `sync_health.push_reason`. */
const REFUSED: Readonly<Record<string, string>> = {
  push_url_refused:
    'the address must be https with a certificate that is publicly trusted; for Google also verify the domain in Search Console under the project of the service account',
  push_taken:
    'another installation watches these mailboxes with the same app registration: stop it, or give each installation an app registration of its own',
  push_denied: PUSH_PERMISSION,
  access_denied: PUSH_PERMISSION,
  scope_missing: 'grant the calendar scope',
  certificate_untrusted:
    'a proxy between here and the provider shows a certificate that this machine does not trust: add its authority to NODE_EXTRA_CA_CERTS and restart the daemon',
};
const REFUSED_OTHERWISE =
  'mend what is said of this provider above; where all is well there, the log of the daemon tells more. It is tried again by itself, hourly';

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
  const ask = (path: string, method: string) => asked(`${base}${path}`, method, signal);
  try {
    const alive = await ask('/healthz', 'GET');
    await alive.arrayBuffer();
    if (!alive.ok) return [fail(what, `GET /healthz answers ${alive.status}, not 200`, PROXY)];
    // A notification that names no channel is taken and dropped: it tells that the path is open.
    const taken = await ask(GOOGLE_PATH, 'POST');
    await taken.arrayBuffer();
    if (taken.status !== 202) {
      return [fail(what, `POST ${GOOGLE_PATH} answers ${taken.status}, not 202`, PROXY)];
    }
    const robots = await robotsFinding(what, base, signal);
    if (robots?.verdict === 'FAIL') return [robots];
    const well = ok(what, 'answers here; whether it does from outside, the channels below tell');
    return robots === null ? [well] : [well, robots];
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

function asked(url: string, method: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
  });
}

/** Whether the host's robots.txt keeps the notifier of Google away, which obeys it. */
async function robotsFinding(what: string, base: string, signal: AbortSignal): Promise<Finding | null> {
  // One file rules the whole host, whatever the path below which the daemon is served.
  const answer = await asked(new URL('/robots.txt', base).href, 'GET', signal);
  const robots = await answer.text();
  if (!answer.ok) return null;
  const path = new URL(`${base}${GOOGLE_PATH}`).pathname;
  const own = forbids(robots, NOTIFIER, path);
  const mend = `let robots.txt allow ${path} to ${NOTIFIER}, or serve none under this host`;
  if (own) {
    return fail(what, `robots.txt forbids ${path} to ${NOTIFIER}, the notifier of Google, which obeys`, mend);
  }
  if (own !== null || !forbids(robots, '*', path)) return null;
  return warn(
    what,
    `robots.txt forbids ${path} to all; Google says ${NOTIFIER} heeds its own name only`,
    mend,
  );
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
    if (push === 'refused') return fail(what, told, REFUSED[reason ?? ''] ?? REFUSED_OTHERWISE);
    const mend = MENDS[push];
    return mend === undefined ? ok(what, told) : warn(what, told, mend);
  });
}
