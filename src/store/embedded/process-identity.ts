import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errorCode } from '../problem.ts';

/** A process named so that a later one with the same number is not taken for it. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Start in clock ticks since boot (Linux), or null where the system does not tell. */
  readonly startTicks: number | null;
};

export function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: processStat(pid)?.startTicks ?? null };
}

/** Whether that very process still runs. A zombie has ended, though it still answers signal 0. */
export function isRunning(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false; // EPERM: it lives and belongs to somebody else
  }
  if (process.platform !== 'linux') return true;
  const stat = processStat(identity.pid);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false;
  return identity.startTicks === null || identity.startTicks === stat.startTicks;
}

/** The command line of a running process, or undefined when it ended or hides. */
export function commandLine(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // Unlike /proc/PID/exe it can be read for processes of another user.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return undefined;
    }
  }
  if (process.platform === 'win32') return undefined;
  const listed = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  return listed.status === 0 ? listed.stdout.trim() : undefined;
}

function processStat(pid: number): { state: string; startTicks: number } | undefined {
  try {
    // proc_pid_stat(5): the name in parentheses may itself hold spaces and parentheses, so cut after the last one.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTicks: Number(fields[19]) };
  } catch {
    return undefined;
  }
}
