import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Who the server runs as. PostgreSQL refuses to run as root, so root hands it to `nobody` (65534 on every Linux
 * we know), which exists without creating a user; anybody else runs it as themselves.
 */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const NOBODY = 65_534;

export function serverAccount(): Account {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

/**
 * The first folder on the way to `path` that the account may not enter, or undefined when the way is open.
 * Reads mode bits only: access lists are not considered.
 */
export function closedFolder(path: string, account: Account): string | undefined {
  if (account === undefined) return undefined;
  const way: string[] = [];
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    way.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return way.find((folder) => existsSync(folder) && !mayEnter(folder, account));
}

function mayEnter(folder: string, account: { uid: number; gid: number }): boolean {
  const { mode, uid, gid } = statSync(folder);
  const enter = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  return (mode & enter) !== 0;
}
