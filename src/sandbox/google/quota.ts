/** Requests of the last minute by quota user. The window slides: a burst throttles the next minute too. */
export interface Quota {
  /** Counts one request; false when the user has used up the limit. */
  take(user: string, limit: number, now: number): boolean;
}

export function createQuota(): Quota {
  const recent = new Map<string, number[]>();
  return {
    take(user, limit, now) {
      const kept = (recent.get(user) ?? []).filter((at) => at > now - 60_000);
      if (kept.length < limit) kept.push(now);
      else return false;
      recent.set(user, kept);
      return true;
    },
  };
}
