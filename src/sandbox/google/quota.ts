/** Requests of the last minute by quota user or project. The window slides: a burst throttles the next minute too. */
export interface Quota {
  /** Counts one request; false when whoever it is charged to has used up the limit. */
  take(charged: string, limit: number, now: number, minuteMs: number): boolean;
}

export function createQuota(): Quota {
  const recent = new Map<string, number[]>();
  return {
    take(charged, limit, now, minuteMs) {
      const kept = (recent.get(charged) ?? []).filter((at) => at > now - minuteMs);
      if (kept.length < limit) kept.push(now);
      else return false;
      recent.set(charged, kept);
      return true;
    },
  };
}
