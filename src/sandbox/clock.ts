/**
 * The sandbox's own time. It flows like the machine's, shifted by an offset, so that weeks can pass in a
 * test while time-outs and sockets still live in real seconds.
 */
export interface SandboxClock {
  /** The current instant, in milliseconds since the epoch. */
  now(): number;
  /** How far the sandbox is ahead of the machine, in milliseconds. */
  offset(): number;
  /** Moves time forward; going back would un-happen what was already told. */
  advance(milliseconds: number): void;
  /** Sets the current instant; time flows on from there unless it is stopped. */
  set(instant: number | string): void;
  /** Holds time still, for tests that assert exact instants. */
  stop(): void;
  /** Lets time flow again from where it was held. */
  resume(): void;
}

/** Builds a clock. `start` is an instant (ISO text or milliseconds), the machine's own time when absent. */
export function createClock(start?: number | string): SandboxClock {
  let offset = 0;
  let held: number | null = null;
  const now = (): number => held ?? Date.now() + offset;
  const set = (instant: number | string): void => {
    const target = toMilliseconds(instant);
    if (held !== null) held = target;
    offset = target - Date.now();
  };
  if (start !== undefined) set(start);
  return {
    now,
    offset: () => (held === null ? offset : held - Date.now()),
    advance(milliseconds) {
      if (milliseconds < 0) throw new RangeError('sandbox time moves forward only');
      set(now() + milliseconds);
    },
    set,
    stop() {
      held = now();
    },
    resume() {
      if (held === null) return;
      offset = held - Date.now();
      held = null;
    },
  };
}

/** Reads an instant given as milliseconds or as ISO text with an offset. Throws RangeError on anything else. */
export function toMilliseconds(instant: number | string): number {
  const parsed = typeof instant === 'number' ? instant : Date.parse(instant);
  if (!Number.isFinite(parsed)) throw new RangeError(`not an instant: ${String(instant)}`);
  return parsed;
}
