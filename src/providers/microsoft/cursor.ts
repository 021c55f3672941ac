import { z } from 'zod';
import { failure } from '../../domain/failure.ts';
import type { Window } from '../../domain/observation.ts';

/**
 * Where one delta round goes on. Graph freezes the window into its token, so the window is kept with it: a round under
 * this link speaks about these days and no others.
 */
export type DeltaRound = {
  /** Path and query below the version; never a whole address, which could lead elsewhere. */
  readonly deltaLink: string;
  readonly window: Window;
};

const stored = z
  .array(z.object({ deltaLink: z.string().startsWith('/'), from: z.number(), until: z.number() }))
  .min(1);

/** The rounds that together cover a calendar's window, as the opaque text callers keep: one, unless it was too wide. */
export function writeCursor(rounds: readonly DeltaRound[]): string {
  return JSON.stringify(
    rounds.map(({ deltaLink, window }) => ({ deltaLink, from: window.from, until: window.until })),
  );
}

/** @throws Failure `gone`/`cursor_lost` where the text is none of ours: only a full round helps then */
export function readCursor(text: string): DeltaRound[] {
  const cursor = stored.safeParse(parsed(text));
  if (!cursor.success) throw failure.gone('cursor_lost', { provider: 'microsoft', detail: 'unreadable' });
  return cursor.data.map(({ deltaLink, from, until }) => ({ deltaLink, window: { from, until } }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
