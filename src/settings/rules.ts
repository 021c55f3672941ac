import { isLoopback } from './env-schemas.ts';
import type { Mistake } from './mistakes.ts';
import { halfANationalCloud } from './national-clouds.ts';
import type { Policy } from './policy.ts';
import type { Environment } from './variables.ts';

/** What a command cannot do without: the programs, at least one provider, keys to seal with. */
export type Need = 'programs' | 'calendars' | 'seal_keys';

const PROVIDERS_SOURCE = 'CADENCED_GOOGLE_KEY_FILE or CADENCED_MICROSOFT_TENANT';
const GOOGLE_REST = [
  'CADENCED_GOOGLE_ADMIN_SUBJECT',
  'CADENCED_GOOGLE_API_URL',
  'CADENCED_GOOGLE_TOKEN_URL',
] as const;
const MICROSOFT_ADDRESSES = ['CADENCED_MICROSOFT_GRAPH_URL', 'CADENCED_MICROSOFT_TOKEN_URL'] as const;
const MICROSOFT_REST = [...MICROSOFT_ADDRESSES, 'CADENCED_MICROSOFT_NEGATIVE_PROBE'] as const;
const MICROSOFT_CREDENTIALS = [
  'CADENCED_MICROSOFT_CLIENT_SECRET',
  'CADENCED_MICROSOFT_CERTIFICATE_FILE',
] as const;
const MICROSOFT_IDENTITY = ['CADENCED_MICROSOFT_TENANT', 'CADENCED_MICROSOFT_CLIENT_ID'] as const;

/** Variables that need, or exclude, one another. Each mistake names both. */
export function contradictions(values: Environment): Mistake[] {
  type Name = keyof Environment;
  const has = (name: Name) => values[name] !== undefined;
  const mistake = (source: string, expected: string): Mistake => ({ source, expected, value: null });
  const without = (names: readonly Name[], needed: string, there: boolean) =>
    there ? [] : names.filter(has).map((name) => mistake(needed, `to be set as well, because ${name} is`));
  const both = (one: Name, other: Name, why: string) =>
    has(one) && has(other)
      ? [{ source: one, expected: `either ${one} or ${other}, not both: ${why}`, value: 'both set' }]
      : [];

  const usesMicrosoft = [...MICROSOFT_IDENTITY, ...MICROSOFT_CREDENTIALS, ...MICROSOFT_REST].filter(has);
  const missing: string[] = MICROSOFT_IDENTITY.filter((name) => !has(name));
  if (!MICROSOFT_CREDENTIALS.some(has)) missing.push(MICROSOFT_CREDENTIALS.join(' or '));
  return [
    ...both('DATABASE_URL', 'CADENCED_DATA_DIR', 'the built-in PostgreSQL runs only where no other is given'),
    ...without(GOOGLE_REST, 'CADENCED_GOOGLE_KEY_FILE', has('CADENCED_GOOGLE_KEY_FILE')),
    ...(usesMicrosoft[0] === undefined
      ? []
      : missing.map((name) => mistake(name, `to be set as well, because ${usesMicrosoft[0]} is`))),
    ...halfANationalCloud(values),
    ...without(['CADENCED_SMTP_URL'], 'CADENCED_MAIL_FROM', has('CADENCED_MAIL_FROM')),
    ...without(['CADENCED_MAIL_FROM'], 'CADENCED_SMTP_URL', has('CADENCED_SMTP_URL')),
    ...movedClockReachesOut(values),
  ];
}

/** A moved clock would tell real people and real calendars about days that are not. */
function movedClockReachesOut(values: Environment): Mistake[] {
  if (values.CADENCED_CLOCK === undefined) return [];
  const outside: string[] = [];
  const local = (address: string | undefined) =>
    address !== undefined && isLoopback(new URL(address).hostname);
  const check = (names: readonly (keyof Environment & `${string}_URL`)[]) => {
    outside.push(...names.filter((name) => !local(values[name] as string | undefined)));
  };
  if (values.CADENCED_GOOGLE_KEY_FILE) check(['CADENCED_GOOGLE_API_URL', 'CADENCED_GOOGLE_TOKEN_URL']);
  if (values.CADENCED_MICROSOFT_TENANT) check(MICROSOFT_ADDRESSES);
  if (values.CADENCED_SMTP_URL && !isLoopback(values.CADENCED_SMTP_URL.host))
    outside.push('CADENCED_SMTP_URL');
  const ranges = values.CADENCED_WEBHOOK_ALLOW ?? [];
  if (!ranges.every((range) => isLoopback(range.split('/')[0] ?? ''))) outside.push('CADENCED_WEBHOOK_ALLOW');
  return outside.map((name) => ({
    source: 'CADENCED_CLOCK',
    expected: `to be unset, or ${name} on this machine: a moved clock must not reach real people`,
    value: 'set',
  }));
}

/** What the command needs and nobody gave. */
export function missingNeeds(
  values: Environment,
  needs: readonly Need[],
  found: readonly Mistake[],
): Mistake[] {
  // What was given but could not be read has been told already.
  const told = (name: string) => found.some(({ source }) => source.startsWith(name));
  const mistakes: Mistake[] = [];
  const missing = (source: string, expected: string) => mistakes.push({ source, expected, value: null });
  if (needs.includes('programs') && !values.CADENCED_CONFIG) {
    missing('CADENCED_CONFIG', 'the path of the configuration file; begin with config/example.yaml');
  }
  if (needs.includes('seal_keys') && !values.CADENCED_SEAL_KEYS && !told('CADENCED_SEAL_KEYS')) {
    missing('CADENCED_SEAL_KEYS', 'a key; make one with: openssl rand -base64 32');
  }
  const anyProvider = [...MICROSOFT_IDENTITY, ...MICROSOFT_CREDENTIALS, 'CADENCED_GOOGLE_KEY_FILE' as const];
  const provided = anyProvider.some((name) => values[name] !== undefined || told(name));
  if (needs.includes('calendars') && !provided) {
    missing(PROVIDERS_SOURCE, 'access to the calendars of Google, Microsoft or both; see config/README.md');
  }
  return mistakes;
}

/** A program's mailbox must be readable: by the provider it names, or by the only one there is. */
export function mailboxesWithoutProvider(values: Environment, policy: Policy): Mistake[] {
  const configured = [
    ...(values.CADENCED_GOOGLE_KEY_FILE ? (['google'] as const) : []),
    ...(values.CADENCED_MICROSOFT_TENANT ? (['microsoft'] as const) : []),
  ];
  // Commands that touch no calendar run without credentials.
  if (configured.length === 0) return [];
  return policy.programs.flatMap(({ name, tags }) =>
    tags.flatMap((tag) => {
      if (tag.kind !== 'mailbox') return [];
      if (tag.calendar === undefined ? configured.length === 1 : configured.includes(tag.calendar)) return [];
      const expected =
        tag.calendar === undefined
          ? 'calendar: google or calendar: microsoft beside the mailbox, because both are configured'
          : `access to ${tag.calendar}, which is not configured, or another calendar beside the mailbox`;
      const path = `program ${JSON.stringify(name)}, tags`;
      return [{ source: values.CADENCED_CONFIG ?? '', path, expected, value: tag.mailbox }];
    }),
  );
}
