import { releaseBrake } from '../store/calendars.ts';
import { chooseCalendars } from './calendar-choice.ts';
import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';
import { counted } from './wording.ts';

/** `cadenced approve`: the cancellations that the brake holds back are believed. */
export function runApprove(calendar: string | null, io: Io): Promise<number> {
  return withWorkshop(io, [], async ({ db }) => {
    const chosen = await chooseCalendars(db, calendar, io);
    if (chosen === null) return EXIT.failed;
    const released = await releaseBrake(
      db,
      chosen.map(({ calendarId }) => calendarId),
    );
    if (released.length === 0) {
      io.stdout('Nothing is held back.');
      return EXIT.ok;
    }
    for (const { address, provider, meetings } of released) {
      io.stdout(`released ${address} (${provider}): ${counted(meetings, 'meeting')}`);
    }
    io.stdout(
      'Whatever is still gone at the next pass is cancelled. A running daemon makes it now; else: cadenced sync',
    );
    return EXIT.ok;
  });
}
