import { z } from 'zod';
import { failure } from '../../domain/failure.ts';
import type { Window } from '../../domain/observation.ts';

/**
 * Where a calendar's next delta round begins. Graph freezes the window into its token, so the window is kept
 * with it: a round under this cursor speaks about these days and no others.
 */
export type DeltaCursor = {
  /** Path and query below the version; never a whole address, which could lead elsewhere. */
  readonly deltaLink: string;
  readonly window: Window;
};

const stored = z.object({
  deltaLink: z.string().startsWith('/'),
  from: z.number(),
  until: z.number(),
});

/** The cursor as the opaque text callers keep. */
export function writeCursor({ deltaLink, window }: DeltaCursor): string {
  return JSON.stringify({ deltaLink, from: window.from, until: window.until });
}

/** @throws Failure `gone`/`cursor_lost` where the text is none of ours: only a full round helps then */
export function readCursor(text: string): DeltaCursor {
  const cursor = stored.safeParse(parsed(text));
  if (!cursor.success) throw failure.gone('cursor_lost', { provider: 'microsoft', detail: 'unreadable' });
  const { deltaLink, from, until } = cursor.data;
  return { deltaLink, window: { from, until } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
