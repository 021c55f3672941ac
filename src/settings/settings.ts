import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type GoogleKey,
  type MicrosoftCertificate,
  readGoogleKey,
  readMicrosoftCertificate,
} from './credentials.ts';
import type { MovedClock } from './env-schemas.ts';
import { type RawEnvironment, type ReadText, readEnvironment, readFile } from './environment.ts';
import { type Mistake, renderMistake } from './mistakes.ts';
import { type Policy, resolvePolling, resolveRetention } from './policy.ts';
import { parsePolicy } from './policy-file.ts';
import { contradictions, mailboxesWithoutProvider, missingNeeds, type Need } from './rules.ts';
import { Secret } from './secret.ts';
import type { Environment } from './variables.ts';

export type GoogleSettings = {
  readonly key: GoogleKey;
  readonly adminSubject: string | null;
  /** Origin in place of all Google APIs; null = Google's own. */
  readonly apiUrl: string | null;
  readonly tokenUrl: string | null;
};

export type MicrosoftSettings = {
  readonly tenant: string;
  readonly clientId: string;
  /** At least one of the two; both while they are rotated. */
  readonly certificate: MicrosoftCertificate | null;
  readonly secrets: readonly Secret[];
  /** Origin without `/v1.0`; null = the worldwide cloud's. */
  readonly graphUrl: string | null;
  readonly tokenUrl: string | null;
  /** A mailbox that must be refused: shows that access is restricted to those it is meant for. */
  readonly negativeProbe: string | null;
};

/** Everything a person can set, checked. Frozen through and through. */
export type Settings = Policy & {
  readonly configFile: string | null;
  readonly database:
    | { readonly kind: 'external'; readonly url: Secret }
    | { readonly kind: 'embedded'; readonly dataDir: string };
  readonly google: GoogleSettings | null;
  readonly microsoft: MicrosoftSettings | null;
  /** null = nobody gets mail. */
  readonly mail: { readonly url: Secret; readonly from: string } | null;
  readonly http: {
    /** Without a trailing slash; null = poll only. */
    readonly publicUrl: string | null;
    readonly host: string;
    readonly port: number;
    readonly metricsHost: string;
    readonly metricsPort: number;
    /** CIDR ranges. */
    readonly trustProxy: readonly string[];
    readonly eventsToken: Secret | null;
  };
  /** CIDR ranges of private addresses that webhooks may reach. */
  readonly webhookAllow: readonly string[];
  /** Each 32 bytes in base64. The first seals, all open. */
  readonly sealKeys: readonly Secret[];
  /** null = the machine's clock. While it is moved, webhooks may go to loopback only. */
  readonly clock: MovedClock | null;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
};

export type SettingsSource = {
  readonly env: RawEnvironment;
  readonly needs?: readonly Need[];
  readonly readText?: ReadText;
  /** Of the running user; decides where data goes by default. */
  readonly uid?: number | undefined;
};

export type LoadedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/**
 * Reads the environment, the files it names and the configuration file. Gives the settings, or every mistake at
 * once. Pairs that contradict each other are mistakes: picking one of the two in silence would surprise somebody.
 */
export function loadSettings(source: SettingsSource): LoadedSettings {
  const readText = source.readText ?? ((path: string) => readFileSync(path, 'utf8'));
  const { values, mistakes: found } = readEnvironment(source.env, readText);
  const mistakes = [...found, ...contradictions(values), ...missingNeeds(values, source.needs ?? [], found)];
  const policy = loadPolicy(values, readText, mistakes);
  const google = googleSettings(values, readText, mistakes);
  const microsoft = microsoftSettings(values, readText, mistakes);
  mistakes.push(...mailboxesWithoutProvider(values, policy));
  if (mistakes.length > 0) return { ok: false, mistakes };
  const { CADENCED_SMTP_URL: relay, CADENCED_MAIL_FROM: from } = values;
  const settings: Settings = {
    ...policy,
    configFile: values.CADENCED_CONFIG ?? null,
    database: values.DATABASE_URL
      ? { kind: 'external', url: new Secret(values.DATABASE_URL) }
      : { kind: 'embedded', dataDir: values.CADENCED_DATA_DIR ?? defaultDataDir(source) },
    google,
    microsoft,
    mail: relay && from ? { url: new Secret(relay.url), from } : null,
    http: {
      publicUrl: values.CADENCED_PUBLIC_URL ?? null,
      host: values.CADENCED_HOST ?? '127.0.0.1',
      port: values.CADENCED_PORT ?? 8080,
      metricsHost: values.CADENCED_METRICS_HOST ?? '127.0.0.1',
      metricsPort: values.CADENCED_METRICS_PORT ?? 9090,
      trustProxy: values.CADENCED_TRUST_PROXY ?? [],
      eventsToken: values.CADENCED_EVENTS_TOKEN ? new Secret(values.CADENCED_EVENTS_TOKEN) : null,
    },
    webhookAllow: values.CADENCED_WEBHOOK_ALLOW ?? [],
    sealKeys: (values.CADENCED_SEAL_KEYS ?? []).map((key) => new Secret(key)),
    clock: values.CADENCED_CLOCK ?? null,
    logLevel: values.CADENCED_LOG_LEVEL ?? 'info',
  };
  return { ok: true, settings: deepFreeze(settings) };
}

/** The mistakes as lines for a terminal, under a heading. */
export function renderMistakes(mistakes: readonly Mistake[]): string[] {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  return [`The settings hold ${count}:`, ...mistakes.map((mistake) => `  ${renderMistake(mistake)}`)];
}

function loadPolicy(values: Environment, readText: ReadText, mistakes: Mistake[]): Policy {
  const none: Policy = {
    programs: [],
    polling: resolvePolling(undefined),
    retention: resolveRetention(undefined),
  };
  if (values.CADENCED_CONFIG === undefined) return none;
  const text = readFile('CADENCED_CONFIG', values.CADENCED_CONFIG, readText, mistakes);
  if (text === null) return none;
  const parsed = parsePolicy(text, values.CADENCED_CONFIG);
  if (parsed.ok) return parsed.policy;
  mistakes.push(...parsed.mistakes);
  return none;
}

function googleSettings(values: Environment, readText: ReadText, mistakes: Mistake[]): GoogleSettings | null {
  const variable = 'CADENCED_GOOGLE_KEY_FILE';
  const path = values[variable];
  const text = path === undefined ? null : readFile(variable, path, readText, mistakes);
  if (path === undefined || text === null) return null;
  const key = readGoogleKey(text);
  if (!key.ok) {
    mistakes.push({ source: variable, expected: key.expected, value: JSON.stringify(path) });
    return null;
  }
  return {
    key: key.value,
    adminSubject: values.CADENCED_GOOGLE_ADMIN_SUBJECT ?? null,
    apiUrl: values.CADENCED_GOOGLE_API_URL ?? null,
    tokenUrl: values.CADENCED_GOOGLE_TOKEN_URL ?? null,
  };
}

function microsoftSettings(
  values: Environment,
  readText: ReadText,
  mistakes: Mistake[],
): MicrosoftSettings | null {
  const { CADENCED_MICROSOFT_TENANT: tenant, CADENCED_MICROSOFT_CLIENT_ID: clientId } = values;
  const certificate = microsoftCertificate(values, readText, mistakes);
  const secrets = (values.CADENCED_MICROSOFT_CLIENT_SECRET ?? []).map((secret) => new Secret(secret));
  if (tenant === undefined || clientId === undefined) return null;
  if (certificate === null && secrets.length === 0) return null;
  return {
    tenant,
    clientId,
    certificate,
    secrets,
    graphUrl: values.CADENCED_MICROSOFT_GRAPH_URL ?? null,
    tokenUrl: values.CADENCED_MICROSOFT_TOKEN_URL ?? null,
    negativeProbe: values.CADENCED_MICROSOFT_NEGATIVE_PROBE ?? null,
  };
}

function microsoftCertificate(
  values: Environment,
  readText: ReadText,
  mistakes: Mistake[],
): MicrosoftCertificate | null {
  const variable = 'CADENCED_MICROSOFT_CERTIFICATE_FILE';
  const path = values[variable];
  if (path === undefined) return null;
  const text = readFile(variable, path, readText, mistakes);
  if (text === null) return null;
  const certificate = readMicrosoftCertificate(text);
  if (certificate.ok) return certificate.value;
  mistakes.push({ source: variable, expected: certificate.expected, value: JSON.stringify(path) });
  return null;
}

function defaultDataDir({ env, uid = process.getuid?.() }: SettingsSource): string {
  if (uid === 0) return '/var/lib/cadenced';
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'cadenced');
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
