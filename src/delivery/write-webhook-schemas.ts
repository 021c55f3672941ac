import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { schemaName } from '../domain/outbound.ts';
import { locateProject } from '../runtime/locate.ts';
import { outboundSchemas } from './outbound-schema.ts';

/**
 * Writes the published JSON Schemas, or with `check` writes nothing. Gives the names of the files that
 * differ from what the code says.
 */
export async function writeWebhookSchemas(folder: string, check: boolean): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [type, schema] of outboundSchemas()) {
    const file = join(folder, schemaName(type));
    const wanted = `${JSON.stringify(schema, null, 2)}\n`;
    const current = await readFile(file, 'utf8').catch(() => null);
    if (current === wanted) continue;
    stale.push(schemaName(type));
    if (!check) await writeFile(file, wanted);
  }
  return stale;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale = await writeWebhookSchemas(join(locateProject().config, 'webhooks'), check);
  for (const name of stale) process.stdout.write(`${check ? 'differs from the code' : 'written'}: ${name}\n`);
  if (check && stale.length > 0) process.exitCode = 1;
}
