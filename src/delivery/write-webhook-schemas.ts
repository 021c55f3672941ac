import { readFile, writeFile } from 'node:fs/promises';
import { schemaName } from '../domain/outbound.ts';
import { outboundSchemas } from './outbound-schema.ts';

/**
 * Writes the published JSON Schemas, or with `check` writes nothing. Gives the names of the files that
 * differ from what the code says.
 */
export async function writeWebhookSchemas(folder: URL, check: boolean): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [type, schema] of outboundSchemas()) {
    const file = new URL(schemaName(type), folder);
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
  const stale = await writeWebhookSchemas(new URL('../../config/webhooks/', import.meta.url), check);
  for (const name of stale) process.stdout.write(`${check ? 'differs from the code' : 'written'}: ${name}\n`);
  if (check && stale.length > 0) process.exitCode = 1;
}
