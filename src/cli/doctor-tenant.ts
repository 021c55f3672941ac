import type { Kysely } from 'kysely';
import type { Microsoft, ProbeFinding } from '../providers/microsoft/index.ts';
import type { MicrosoftSettings } from '../settings/settings.ts';
import { type KnownCalendar, listDeletedEvents } from '../store/calendars.ts';
import type { DB } from '../store/database.generated.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { counted } from './wording.ts';

const PATIENCE_MS = 60_000;
const DAY_MS = 86_400_000;
const CERTIFICATE_WARN_DAYS = 30;
/** One that stands on its calendar again tells nothing, hence some. */
const DELETED_TRIED = 3;

/** What concerns a Microsoft tenant as a whole, and none of its mailboxes more than another. */
export async function tenantFindings(
  db: Kysely<DB>,
  adapter: Microsoft,
  settings: MicrosoftSettings,
  calendars: readonly KnownCalendar[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const patience = () => AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const findings = [
    ...certificateFindings(settings),
    await restrictionFinding(adapter, settings, patience()),
  ];
  if (calendars.length === 0) return findings;
  const addresses = calendars.map(({ address }) => address);
  const deleted = await listDeletedEvents(db, 'microsoft', DELETED_TRIED);
  findings.push(
    known(await adapter.probeAtOnce(addresses, patience())),
    known(await adapter.probeDeleted(deleted, patience())),
  );
  signal.throwIfAborted();
  return findings;
}

function known({ check, ok: isWell, finding, mend }: ProbeFinding): Finding {
  return isWell ? ok(`microsoft ${check}`, finding) : warn(`microsoft ${check}`, finding, mend);
}

/** How long the certificate lasts. */
function certificateFindings({ certificate }: MicrosoftSettings): Finding[] {
  if (certificate === null) return [];
  const { expiresAt } = certificate;
  const days = Math.floor((Date.parse(expiresAt) - Date.now()) / DAY_MS);
  const found = days < 0 ? `ended on ${expiresAt}` : `lasts ${counted(days, 'more day')}, until ${expiresAt}`;
  const mend = 'make another one, register it beside the old one, and change the file';
  return [
    days < CERTIFICATE_WARN_DAYS
      ? warn('microsoft certificate', found, mend)
      : ok('microsoft certificate', found),
  ];
}

/** Whether what must not be readable is not. */
async function restrictionFinding(
  adapter: Microsoft,
  { negativeProbe }: MicrosoftSettings,
  signal: AbortSignal,
): Promise<Finding> {
  if (negativeProbe === null) {
    const mend = 'set CADENCED_MICROSOFT_NEGATIVE_PROBE to a mailbox that must not be readable';
    return warn('microsoft restriction', 'not tried', mend);
  }
  const { ok: isWell, finding, mend } = await adapter.probeRefused(negativeProbe, signal);
  return isWell ? ok('microsoft restriction', finding) : fail('microsoft restriction', finding, mend);
}
