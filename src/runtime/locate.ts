import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folders outside `src` that the running program reads. */
export type ProjectFolders = {
  /** Holds sql/ and config/. */
  readonly root: string;
  readonly sql: string;
  readonly config: string;
};

/**
 * Finds sql/ and config/ by walking up from this module: two levels up in a checkout, beside the file or one
 * level up once everything is bundled into one. No other module may derive a path from its own location, because
 * `import.meta.url` names the bundle then.
 * Throws when no folder above holds sql/migrations and config/.
 */
export function locateProject(from: string = import.meta.url): ProjectFolders {
  const start = dirname(fileURLToPath(from));
  for (let folder = start; ; folder = dirname(folder)) {
    const sql = join(folder, 'sql');
    const config = join(folder, 'config');
    if (existsSync(join(sql, 'migrations')) && existsSync(config)) return { root: folder, sql, config };
    if (folder === dirname(folder)) break;
  }
  throw new Error(
    `The folders sql/ and config/ are missing above ${start}: this is no complete installation of cadenced.`,
  );
}
