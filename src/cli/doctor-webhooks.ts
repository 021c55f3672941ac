import type { Kysely } from 'kysely';
import type { Settings } from '../settings/settings.ts';
import type { DB } from '../store/database.generated.ts';
import { createSeal } from '../store/seal.ts';
import { listEndpoints, openSecrets, type StoredEndpoint } from '../store/webhook-endpoints.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { asArgument } from './wording.ts';

/** Whether webhooks can leave: their state, and whether our keys open their secrets. Nothing is sent. */
export async function webhookFindings(
  db: Kysely<DB>,
  settings: Settings,
): Promise<{ readonly endpoints: number; readonly findings: readonly Finding[] }> {
  const endpoints = await listEndpoints(db);
  const seal = createSeal(settings.sealKeys.map((key) => key.reveal()));
  const findings: Finding[] = [];
  for (const endpoint of endpoints) {
    const opens = await openSecrets(db, seal, endpoint.endpointId).then(
      () => true,
      () => false,
    );
    if (!opens) findings.push(unopened(endpoint));
    if (opens || endpoint.state !== 'active') findings.push(stateFinding(endpoint));
  }
  return { endpoints: endpoints.length, findings };
}

function unopened({ name }: StoredEndpoint): Finding {
  return fail(
    `webhook ${name}`,
    'no key opens its secret, so nothing can be signed',
    `put the key that sealed it back into CADENCED_SEAL_KEYS (behind the first), or cadenced webhook rotate ${asArgument(name)}`,
  );
}

function stateFinding({ name, state, reason, failingSince, dead, pending }: StoredEndpoint): Finding {
  const what = `webhook ${name}`;
  const waiting = `${pending} waiting, ${dead} given up`;
  if (state === 'disabled') {
    const mend = `mend the receiver, see cadenced webhook test ${asArgument(name)}, then cadenced webhook resume ${asArgument(name)}`;
    return fail(what, `disabled (${reason ?? 'no reason'}); ${waiting}`, mend);
  }
  if (state === 'paused')
    return warn(what, `paused; ${waiting}`, `cadenced webhook resume ${asArgument(name)}`);
  if (failingSince !== null) {
    const told = `failing since ${failingSince.toISOString()}; ${waiting}`;
    return warn(
      what,
      told,
      `cadenced webhook test ${asArgument(name)} shows why; after five days it is switched off`,
    );
  }
  if (dead > 0)
    return warn(what, waiting, `cadenced webhook replay ${asArgument(name)} sends them once more`);
  return ok(what, `active; ${waiting}`);
}
