import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { renderEnvExample } from './env-example.ts';
import { policySchema } from './policy-schema.ts';

/** The files under `config/` that are made from the schemas, by name. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const schema = z.toJSONSchema(policySchema, { io: 'input' });
  return new Map([
    ['cadenced.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['cadenced.env.example', renderEnvExample()],
  ]);
}

/** Writes the files into `folder`, or with `check` only tells which of them are not as they would be written. */
export function writeGenerated(folder: URL, check: boolean): string[] {
  const stale: string[] = [];
  for (const [name, text] of generatedFiles()) {
    const file = new URL(name, folder);
    if (check) {
      if (readOrNull(file) !== text) stale.push(name);
    } else {
      writeFileSync(file, text);
    }
  }
  return stale;
}

function readOrNull(file: URL): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  }
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale = writeGenerated(new URL('../../config/', import.meta.url), check);
  for (const name of stale) {
    process.stderr.write(
      `config/${name} is not what src/settings says; run: node src/settings/write-schema.ts\n`,
    );
  }
  process.exitCode = stale.length > 0 ? 1 : 0;
}
