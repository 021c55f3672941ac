import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the embedded server keeps its data when nobody says otherwise: `CADENCED_DATA_DIR`, else
 * `/var/lib/cadenced` for root (a home of root is closed to the account the server runs as), else
 * `cadenced` in the user's state folder (XDG Base Directory Specification: `$XDG_STATE_HOME`, by default
 * `~/.local/state`).
 */
export function dataDirDefault(
  env: Readonly<Record<string, string | undefined>>,
  uid: number | undefined = process.getuid?.(),
): string {
  if (env.CADENCED_DATA_DIR) return env.CADENCED_DATA_DIR;
  if (uid === 0) return '/var/lib/cadenced';
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'cadenced');
}
