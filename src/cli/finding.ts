/** One thing that was looked at. */
export interface Finding {
  readonly verdict: 'ok' | 'warn' | 'FAIL';
  readonly what: string;
  readonly finding: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly mend: string;
}

export function ok(what: string, finding: string): Finding {
  return { verdict: 'ok', what, finding, mend: '' };
}

/** Something that works, or may be meant so, but should be known. */
export function warn(what: string, finding: string, mend: string): Finding {
  return { verdict: 'warn', what, finding, mend };
}

/** Something that does not work and needs somebody. */
export function fail(what: string, finding: string, mend: string): Finding {
  return { verdict: 'FAIL', what, finding, mend };
}

/** `FAIL  mail - the relay does not take us (timeout)  -> check host and port` */
export function renderFinding({ verdict, what, finding, mend }: Finding): string {
  return `${verdict.padEnd(4)}  ${what} - ${finding}${mend === '' ? '' : `  -> ${mend}`}`;
}
