import type { Kysely } from 'kysely';
import type { DB } from '../store/database.generated.ts';
import { type Counts, readCounts, readTroubles, type Troubles } from '../store/status.ts';
import { counted } from './wording.ts';

/** Everything that is stored in one object, for programs: what `status --json` and a settled sandbox print. */
export interface Summary {
  /** By outcome; without one: `scheduled`, `awaiting` (ended, not yet judged), `cancelled`. */
  readonly sessions: Counts;
  /** Sent ones by kind. */
  readonly mails: Counts;
  /** By type. */
  readonly webhooks: { readonly delivered: Counts };
  /** Open ones by kind. */
  readonly alerts: Counts;
  /** By state. */
  readonly calendars: Counts;
  /** What was given up, one sentence each. A calendar that cannot be read is a state, told above. */
  readonly errors: readonly string[];
}

/** Reads the summary. @param db a prepared database */
export async function readSummary(db: Kysely<DB>): Promise<Summary> {
  const [{ delivered, ...counts }, troubles] = await Promise.all([readCounts(db), readTroubles(db)]);
  const { sessions, mails, alerts, calendars } = counts;
  return { sessions, mails, webhooks: { delivered }, alerts, calendars, errors: renderTroubles(troubles) };
}

/** What was given up or waits for somebody to mend it, one sentence each. */
export function renderTroubles({ settings, mails, deliveries, endpoints }: Troubles): string[] {
  const because = (...reasons: readonly (string | number | null)[]) => {
    const known = reasons.filter((reason) => reason !== null);
    return known.length === 0 ? '' : ` (${known.join(', ')})`;
  };
  return [
    ...settings.map(
      ({ provider, fault, count }) =>
        `${counted(count, 'calendar')} at ${provider} cannot be read${because(fault)}: cadenced doctor says how to mend it`,
    ),
    ...mails.map(
      ({ kind, status, reason, count }) =>
        `${counted(count, 'mail')} of kind ${kind} ${status}${because(reason)}`,
    ),
    ...deliveries.map(
      ({ endpoint, error, status, count }) =>
        `${counted(count, 'webhook')} to ${endpoint} given up${because(error, error?.startsWith('http_') ? null : status)}`,
    ),
    ...endpoints
      .filter(({ state }) => state === 'disabled')
      .map(({ name, reason }) => `webhook ${name} is disabled${because(reason)}`),
  ];
}
