import { correctAttendance, endPause, pause, type Said } from '../store/statements.ts';
import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';

/** `cadenced correct`: an administrator's word about a session. */
export function runCorrect(word: Parameters<typeof correctAttendance>[1], io: Io): Promise<number> {
  return withWorkshop(io, [], async ({ db }) =>
    tell(
      await correctAttendance(db, word),
      (id) => `kept as evidence ${id}; a running daemon restates session ${word.sessionId} within a minute`,
      io,
    ),
  );
}

/** `cadenced pause`: days on which nobody owes a session. */
export function runPause(
  whose: Parameters<typeof pause>[1],
  days: Parameters<typeof pause>[2],
  io: Io,
): Promise<number> {
  return withWorkshop(io, [], async ({ db }) =>
    tell(
      await pause(db, whose, days),
      (id) =>
        `pause ${id}: ${'email' in whose ? whose.email : whose.mentorship}, ${days.from} to ${days.until}`,
      io,
    ),
  );
}

/** `cadenced resume`: ends a pause, or takes it back. */
export function runResume(
  pauseId: number,
  { after, by }: { readonly after: string | null; readonly by: string | null },
  io: Io,
): Promise<number> {
  return withWorkshop(io, [], async ({ db }) =>
    tell(
      await endPause(db, pauseId, after, by),
      (id) => (after === null ? `pause ${id} taken back` : `pause ${id} ends after ${after}`),
      io,
    ),
  );
}

function tell(said: Said, done: (id: number) => string, io: Io): number {
  if (!said.ok) {
    io.stderr(said.why);
    return EXIT.failed;
  }
  io.stdout(done(said.id));
  return EXIT.ok;
}
