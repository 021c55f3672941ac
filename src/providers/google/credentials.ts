import { createPrivateKey } from 'node:crypto';
import { auth } from 'googleapis/build/src/apis/calendar/index.js';
import { failure, isFailure } from '../../domain/failure.ts';
import { failureOfThrown, malformedAnswer } from './failures.ts';
import { mailDomain } from './reading.ts';

/** One purpose, one scope: a token asked for with a scope that was not granted fails whole, so each asks alone. */
export const SCOPES = {
  calendar: 'https://www.googleapis.com/auth/calendar.events.readonly',
  meet: 'https://www.googleapis.com/auth/meetings.space.readonly',
  directory: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
  reports: 'https://www.googleapis.com/auth/admin.reports.audit.readonly',
} as const;
export type Purpose = keyof typeof SCOPES;

export interface ServiceAccountKey {
  readonly client_email: string;
  /** The number by which an administrator delegates; only told, never sent. */
  readonly client_id?: string;
  readonly private_key: string;
}

export type JwtClient = InstanceType<typeof auth.JWT>;

/** Tokens of the service account in the name of a person (domain-wide delegation). */
export interface Credentials {
  /**
   * The person's client with a token that is valid for some minutes.
   * @throws Failure `config` when the delegation as a whole is refused, `gone`/`account_unknown` when the person is
   * no live account of the organisation
   */
  ready(subject: string, purpose: Purpose, signal: AbortSignal): Promise<JwtClient>;
  /** Forgets a client whose token an API refused, so that the next `ready` fetches another. */
  forget(subject: string, purpose: Purpose, client: JwtClient): void;
  /** Whether anybody of a mail domain was spoken for since the start, as only people of the own organisation can be. */
  servesDomain(domain: string): boolean;
}

/** The client library knows no other, and this is also what the assertion's `aud` must say. */
const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token';
/** The library sends everything through a proxy named in the environment, even to this machine. */
const NEVER_BY_PROXY = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Keeps one client for each person and purpose; a client holds its token and lets parallel callers share one fetch.
 * @param options.tokenUrl where tokens are fetched instead of Google's endpoint
 * @throws Failure `config`/`key_unreadable` when the private key is none
 */
export function createCredentials(options: {
  readonly key: ServiceAccountKey;
  readonly tokenUrl: string | undefined;
  readonly timeoutMs: number;
}): Credentials {
  try {
    createPrivateKey(options.key.private_key);
  } catch {
    // The error would quote the key's text.
    throw failure.config('key_unreadable', {
      provider: 'google',
      detail: 'the private key of the service account',
    });
  }
  const clients = new Map<string, JwtClient>();
  /** Somebody of each mail domain in whose name there was a token, and what there was one for. */
  const spokenFor = new Map<string, string>();
  const granted = new Set<Purpose>();
  const underWay = new Set<Promise<unknown>>();
  const keyOf = (subject: string, purpose: Purpose) => `${purpose} ${subject}`;
  const forget: Credentials['forget'] = (subject, purpose, client) => {
    // Of several calls refused at once only the first forgets; the others find its successor.
    if (clients.get(keyOf(subject, purpose)) === client) clients.delete(keyOf(subject, purpose));
  };

  async function fetched(subject: string, purpose: Purpose, signal: AbortSignal): Promise<JwtClient> {
    // Before the fetch: its rejection would have nobody to catch it.
    if (signal.aborted) throw failureOfThrown(signal.reason, 'token', signal);
    const key = keyOf(subject, purpose);
    const client = clients.get(key) ?? createClient(options, subject, purpose);
    clients.set(key, client);
    try {
      await whileWanted(client.getAccessToken(), signal);
    } catch (error) {
      // Others may still wait for the fetch that this caller gave up.
      if (signal.aborted) throw failureOfThrown(error, 'token', signal);
      forget(subject, purpose, client);
      // The library's own complaint about an answer without a token has neither response nor code.
      if (error instanceof Error && !('response' in error) && !('code' in error))
        throw malformedAnswer('token', 'no access token in it');
      throw failureOfThrown(error, 'token', signal);
    }
    spokenFor.set(mailDomain(subject), subject);
    granted.add(purpose);
    return client;
  }

  /**
   * Google answers `unauthorized_client` where a scope was not granted, and also for people of other organisations.
   * It is the person where the scope is granted for some domain and nobody of theirs was ever spoken for. What was
   * not asked for in anybody else's name yet is asked for once in that of somebody known.
   */
  async function isOfOthers(subject: string, purpose: Purpose, signal: AbortSignal): Promise<boolean> {
    // At the start everybody is asked for at once, and who is refused first must wait for who is not.
    await whileWanted(Promise.allSettled(underWay), signal);
    if (spokenFor.has(mailDomain(subject))) return false;
    if (granted.has(purpose)) return true;
    const [known] = spokenFor.values();
    if (known === undefined) return false;
    try {
      await fetched(known, purpose, signal);
      return true;
    } catch (problem) {
      if (signal.aborted) throw problem;
      return false;
    }
  }

  return {
    async ready(subject, purpose, signal) {
      const fetching = fetched(subject, purpose, signal);
      underWay.add(fetching);
      try {
        return await fetching;
      } catch (problem) {
        const refused = isFailure(problem) && problem.code === 'delegation_missing';
        if (!refused || !(await isOfOthers(subject, purpose, signal))) throw problem;
        throw failure.gone('account_unknown', {
          provider: 'google',
          status: problem.status,
          detail: problem.detail,
        });
      } finally {
        underWay.delete(fetching);
      }
    },
    forget,
    servesDomain: (domain) => spokenFor.has(domain),
  };
}

function createClient(
  options: {
    readonly key: ServiceAccountKey;
    readonly tokenUrl: string | undefined;
    readonly timeoutMs: number;
  },
  subject: string,
  purpose: Purpose,
): JwtClient {
  const client = new auth.JWT({
    email: options.key.client_email,
    key: options.key.private_key,
    scopes: [SCOPES[purpose]],
    subject,
    transporterOptions: { timeout: options.timeoutMs, noProxy: NEVER_BY_PROXY },
  });
  client.transporter.interceptors.request.add({
    resolved: async (request) => {
      if (String(request.url) !== GOOGLE_TOKEN_URL) return request;
      // The library repeats this call on its own, without jitter and past our bounds.
      delete request.retryConfig;
      request.retry = false;
      if (options.tokenUrl === undefined) return request;
      request.url = new URL(options.tokenUrl);
      // The way through a proxy was chosen for Google's host, before the address changed.
      if (NEVER_BY_PROXY.includes(request.url.hostname)) delete request.agent;
      return request;
    },
  });
  return client;
}

/** Leaves a shared fetch to those who still want it when this caller gives up. */
async function whileWanted<T>(fetching: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([fetching, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
