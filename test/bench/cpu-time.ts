import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second, as `getconf CLK_TCK` says on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

export type CpuTime = { readonly node: number; readonly postgres: number };

/**
 * Seconds of processor time spent so far, here and by a Postgres server. On a machine that others use as well it
 * says what a run really cost, where the clock on the wall does not. Postgres is 0 where there is no /proc.
 * @param postmaster the server's process; its backends are its children
 */
export function cpuTime(postmaster: number): CpuTime {
  const { user, system } = process.cpuUsage();
  return { node: (user + system) / 1e6, postgres: serverTicks(postmaster) / TICKS_A_SECOND };
}

/** Milliseconds that one backend of Postgres has run so far; 0 where there is no /proc. */
export function backendMs(pid: number): number {
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, turns.
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return 0;
  }
}

export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { node: after.node - before.node, postgres: after.postgres - before.postgres };
}

function serverTicks(postmaster: number): number {
  let ticks = 0;
  for (const name of readProc()) {
    const fields = statOf(name);
    // After the command: state, parent, ...; times are the 12th to 15th of them, the last two those of dead children.
    if (fields === null) continue;
    const [user = 0, system = 0, ofChildren = 0, systemOfChildren = 0] = fields.slice(11, 15).map(Number);
    if (Number(name) === postmaster) ticks += user + system + ofChildren + systemOfChildren;
    else if (Number(fields[1]) === postmaster) ticks += user + system;
  }
  return ticks;
}

function readProc(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    // Another system than Linux.
    return [];
  }
}

function statOf(pid: string): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended between the listing and the reading.
    return null;
  }
}
