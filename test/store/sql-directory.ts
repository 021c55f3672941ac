import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder shaped like sql/, from file names and texts. Gone when disposed. */
export function sqlDirectory(files: Record<string, string>) {
  const path = mkdtempSync(join(tmpdir(), 'cadenced-sql-'));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const remove = (name = '') => rmSync(join(path, name), { recursive: true, force: true });
  return { path, write, remove, [Symbol.dispose]: () => remove() };
}
