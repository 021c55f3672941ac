import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Folders for servers that are thrown away. In memory where there is plenty of it: a database is some seven hundred
 * files, and to make one took 530 ms on an ext4 disk and 25 ms in memory, a thousand times a run.
 */
const IN_MEMORY = '/dev/shm';
/** A run of all tests holds about 0.4 GB at most; the rest is for whoever else needs it. */
const ROOM_BYTES = 2 * 2 ** 30;
const FREE_MEMORY_BYTES = 4 * 2 ** 30;

function memoryServes(): boolean {
  try {
    const mount = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .find(([, place]) => place === IN_MEMORY);
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    // The server's programs are copied beside its data where its user cannot reach them, and have to run there.
    const mayExecute = mount?.[2] === 'tmpfs' && mount[3]?.split(',').includes('noexec') === false;
    return mayExecute && bavail * bsize >= ROOM_BYTES && process.availableMemory() >= FREE_MEMORY_BYTES;
  } catch {
    // No such place: not Linux, or a container without it.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** What a killed run left in memory would stay there until the machine is started anew. */
function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    const owner = /^cadenced-[a-z]+-(\d+)-\w{6}$/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(root, name), { recursive: true, force: true });
  }
}

/**
 * Makes a folder that its owner alone may list and any user may enter, because PostgreSQL does not run as root.
 * @param purpose a word of small letters, seen in the folder's name
 */
export function openScratch(purpose: string): { readonly path: string; [Symbol.dispose](): void } {
  const root = memoryServes() ? IN_MEMORY : tmpdir();
  sweep(root);
  const path = mkdtempSync(join(root, `cadenced-${purpose}-${process.pid}-`));
  chmodSync(path, 0o711);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
