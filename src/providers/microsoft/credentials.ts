import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type Configuration,
  type INetworkModule,
  type NetworkRequestOptions,
  type NetworkResponse,
} from '@azure/msal-node';
import { type Failure, failure, isFailure } from '../../domain/failure.ts';
import type { Log } from '../../runtime/log.ts';
import { retryAfterOf, type TokenAnswer, tokenFailure } from './failures.ts';

export type EntraCertificate = {
  readonly privateKeyPem: string;
  /** SHA-256 of the certificate in hex. */
  readonly thumbprintSha256: string;
  /** The certificate chain in PEM, where the tenant trusts by subject name and issuer. */
  readonly x5c?: string | undefined;
  /** ISO 8601, UTC. */
  readonly expiresAt?: string | undefined;
};

/**
 * Who the daemon is for Entra. At least one credential is given; more than one while they are rotated: the
 * certificate is tried first, then the secrets in their order.
 */
export type EntraSettings = {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret?: string | readonly string[] | undefined;
  readonly certificate?: EntraCertificate | undefined;
  readonly graphUrl: string;
  /** The full token endpoint, for national clouds, proxies and tests. */
  readonly tokenUrl?: string | undefined;
};

export type TokenSource = {
  /** An access token that is good for this moment. @throws Failure */
  token(): Promise<string>;
  /** Graph answered 401 to this token: it is not handed out again. */
  refused(token: string): void;
};

const TOKEN_TIMEOUT_MS = 10_000;
/** As msal does it: a new token is asked for in the last five minutes of the old one. */
const RENEW_BEFORE_MS = 300_000;
/** Below this a token might die on its way to Graph. */
const USABLE_MS = 30_000;
const PAUSE_AFTER_FAULT_MS = 30_000;
/** An expired secret stays expired until a person acts; Entra counts refused attempts. */
const PAUSE_AFTER_REFUSAL_MS = 300_000;

/** Days before the end of a certificate at which its renewal is asked for. */
const EXPIRY_TOLD_AT_DAYS = [1, 7, 30] as const;
const DAY_MS = 86_400_000;

/** Refused for what it is; another one may be taken. */
const CREDENTIAL_REFUSED = new Set(['secret_expired', 'credential_refused']);

const PUBLIC_LOGIN = 'login.microsoftonline.com';
const PUBLIC_GRAPH = 'https://graph.microsoft.com';
const NATIONAL_GRAPHS = new Set([
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
]);

/**
 * Tokens by client credentials. At most one request to Entra is under way at a time (msal coalesces only its
 * silent flow), and the last good token serves until it dies when a renewal fails.
 */
export function createTokenSource(settings: EntraSettings, deps: { readonly log: Log }): TokenSource {
  const credentials = credentialsOf(settings);
  let held: { readonly value: string; readonly expiresAt: number } | undefined;
  let flight: Promise<string> | undefined;
  let lastFailure: { readonly failure: Failure; readonly retryAt: number } | undefined;
  /** The credential that was accepted last. */
  let accepted = 0;
  let refusalTold = false;
  let expiryToldAt = Number.POSITIVE_INFINITY;

  /** With the credential that worked last, then with the others; the first refusal is the one to tell. */
  async function requestWithAny(): Promise<AuthenticationResult> {
    let first: Failure | undefined;
    for (let tried = 0; tried < credentials.length; tried += 1) {
      const at = (accepted + tried) % credentials.length;
      const credential = credentials[at];
      if (credential === undefined) break;
      try {
        const result = await requestToken(settings, credential);
        if (at !== accepted)
          deps.log.warn({ credential: credential.kind }, 'another microsoft credential was taken');
        accepted = at;
        return result;
      } catch (error) {
        if (!isFailure(error, 'config') || !CREDENTIAL_REFUSED.has(error.code)) throw error;
        first ??= error;
      }
    }
    throw first ?? failure.config('client_settings', { provider: 'microsoft', detail: 'no credential' });
  }

  function tellOfExpiry(): void {
    const { expiresAt } = settings.certificate ?? {};
    if (expiresAt === undefined) return;
    const days = (Date.parse(expiresAt) - Date.now()) / DAY_MS;
    const stage = EXPIRY_TOLD_AT_DAYS.find((limit) => days <= limit);
    if (stage === undefined || stage >= expiryToldAt) return;
    expiryToldAt = stage;
    deps.log.warn({ expiresAt }, 'the microsoft certificate ends soon: register another one');
  }

  async function acquire(): Promise<string> {
    try {
      const result = await requestWithAny();
      held = { value: result.accessToken, expiresAt: result.expiresOn?.getTime() ?? Date.now() };
      lastFailure = undefined;
      refusalTold = false;
      tellOfExpiry();
      return result.accessToken;
    } catch (error) {
      const failed = isFailure(error) ? error : failure.bug('token_request', { cause: error });
      lastFailure = { failure: failed, retryAt: Date.now() + pauseAfter(failed) };
      // Once: what follows from it is seen at every calendar, and nothing changes until a person acts.
      if (failed.kind === 'config' && !refusalTold) {
        refusalTold = true;
        deps.log.error({ err: failed }, 'entra gives this application no token: a person must act');
      }
      if (held !== undefined && held.expiresAt - Date.now() > USABLE_MS) {
        deps.log.warn({ err: failed }, 'microsoft token not renewed, the last one serves on');
        return held.value;
      }
      throw failed;
    }
  }

  return {
    token() {
      const left = held === undefined ? 0 : held.expiresAt - Date.now();
      if (held !== undefined && left > RENEW_BEFORE_MS) return Promise.resolve(held.value);
      if (lastFailure !== undefined && Date.now() < lastFailure.retryAt) {
        if (held !== undefined && left > USABLE_MS) return Promise.resolve(held.value);
        // Without a token a fault of the network may be tried again at once; a refusal may not.
        if (lastFailure.failure.kind !== 'transient') return Promise.reject(lastFailure.failure);
      }
      flight ??= acquire().finally(() => {
        flight = undefined;
      });
      if (held === undefined || left <= USABLE_MS) return flight;
      // What is asked for ahead of need is waited for by nobody: an Entra that hangs must not stop what works.
      void Promise.allSettled([flight]);
      return Promise.resolve(held.value);
    },
    refused(token) {
      // Of several requests refused together only the first finds its token still held.
      if (held?.value === token) held = undefined;
    },
  };
}

function pauseAfter(failed: Failure): number {
  if (failed.kind === 'transient') return PAUSE_AFTER_FAULT_MS;
  if (failed.kind === 'throttled') return failed.retryAfterMs ?? PAUSE_AFTER_FAULT_MS;
  return PAUSE_AFTER_REFUSAL_MS;
}

/**
 * One exchange with Entra. The application object is made anew each time: msal would remember a 5xx and refuse
 * locally for a minute, with an error that names nothing.
 */
async function requestToken(
  settings: EntraSettings,
  credential: EntraCredential,
): Promise<AuthenticationResult> {
  const network = new TimedNetwork();
  let result: AuthenticationResult | null;
  try {
    const application = new ConfidentialClientApplication(configuration(settings, credential, network));
    result = await application.acquireTokenByClientCredential({ scopes: [scope(settings.graphUrl)] });
  } catch (error) {
    throw tokenFailure(network.answer, network.thrown, error);
  }
  // An empty 5xx is no error to msal: it hands out a result without a token.
  if (!result?.accessToken) throw tokenFailure(network.answer, network.thrown, undefined);
  return result;
}

/** Who is asked for tokens: a host, with its port where that is not the usual one. */
export function entraHost({ tokenUrl }: EntraSettings): string {
  return tokenUrl === undefined ? PUBLIC_LOGIN : new URL(tokenUrl).host;
}

/** National clouds have resources of their own; a proxy or a stand-in speaks for the public cloud. */
function scope(graphUrl: string): string {
  const { origin } = new URL(graphUrl);
  return `${NATIONAL_GRAPHS.has(origin) ? origin : PUBLIC_GRAPH}/.default`;
}

type EntraCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'certificate'; readonly certificate: EntraCertificate };

function credentialsOf({ clientSecret = [], certificate }: EntraSettings): readonly EntraCredential[] {
  const secrets = typeof clientSecret === 'string' ? [clientSecret] : clientSecret;
  return [
    ...(certificate === undefined ? [] : [{ kind: 'certificate', certificate } as const]),
    ...secrets.map((secret) => ({ kind: 'secret', secret }) as const),
  ];
}

function configuration(
  settings: EntraSettings,
  credential: EntraCredential,
  network: INetworkModule,
): Configuration {
  const { tenant, clientId } = settings;
  const endpoint = settings.tokenUrl === undefined ? undefined : new URL(settings.tokenUrl);
  // msal accepts only an https authority, while its token endpoint may be any URL that the metadata names.
  const host = endpoint?.protocol === 'https:' ? endpoint.host : PUBLIC_LOGIN;
  const authority = `https://${host}/${tenant}`;
  return {
    auth: {
      clientId,
      authority,
      ...(credential.kind === 'secret'
        ? { clientSecret: credential.secret }
        : { clientCertificate: assertionKey(credential.certificate) }),
      ...(endpoint !== undefined && {
        knownAuthorities: [host],
        authorityMetadata: JSON.stringify({
          authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
          token_endpoint: endpoint.href,
          issuer: `${authority}/v2.0`,
          end_session_endpoint: `${authority}/oauth2/v2.0/logout`,
          jwks_uri: `${authority}/discovery/v2.0/keys`,
        }),
      }),
    },
    system: { networkClient: network },
  };
}

function assertionKey({ thumbprintSha256, privateKeyPem, x5c }: EntraCertificate) {
  return { thumbprintSha256, privateKey: privateKeyPem, ...(x5c !== undefined && { x5c }) };
}

/**
 * msal's own network client has no timeout for POST. This one also keeps what Entra answered, because msal's
 * errors lose the status and the numbers by which a refusal is told from a fault.
 */
class TimedNetwork implements INetworkModule {
  answer: TokenAnswer | undefined;
  thrown: unknown;

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>('GET', url, options);
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>('POST', url, options);
  }

  async #send<T>(method: string, url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    try {
      const response = await fetch(url, {
        method,
        headers: options?.headers ?? {},
        ...(options?.body !== undefined && { body: options.body }),
        redirect: 'error',
        signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
      });
      const body = parsed(await response.text());
      const retryAfterMs = retryAfterOf(response.headers, Date.now());
      this.answer = { status: response.status, body, retryAfterMs };
      return { headers: Object.fromEntries(response.headers), body: body as T, status: response.status };
    } catch (error) {
      this.thrown = error;
      throw error;
    }
  }
}

/** A proxy's HTML page becomes an empty answer, which msal refuses and `tokenFailure` calls unreadable. */
function parsed(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
