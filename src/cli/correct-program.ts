import { type Command, InvalidArgumentError } from 'commander';
import { DateTime } from 'luxon';
import type { Io } from './io.ts';
import { paragraphs } from './paragraphs.ts';
import type { Finish } from './program.ts';

const CORRECT = `
Says what happened at a session, stronger than every record: of the whole session met or not_met; of one person
(--email) attended, absent, excused or unknown. The last word counts, and withdrawn takes it back, so that the
records speak again. Nothing is overwritten: who said what and why stays in mentoring.evidence. Sessions and their
numbers stand in mentoring.session. Needs the database.

Examples:
  cadenced correct 17 met --by pat@example.org --reason "met in the canteen"
  cadenced correct 17 absent --email grace@example.org --by pat@example.org --reason "called in sick"
  cadenced correct 17 withdrawn --by pat@example.org --reason "wrong session"

Exit codes: 0 kept; 1 no such session or person, or it has not ended yet; 2 wrong command line or settings.`;

const PAUSE = `
Names days on which a mentorship, or with --person every mentorship of somebody, owes no session: no alert is
opened, and sessions of those days count in no rate. Days are days of the program's time zone, both included.
Pauses stand in mentoring.pause, every word about them in mentoring.pause_history. Needs the database.

Examples:
  cadenced pause --program Oak --mentorship ada-grace --from 2026-07-01 --until 2026-08-31 --reason sabbatical
  cadenced pause --person ada@example.org --from 2026-07-01 --until 2026-07-14 --by pat@example.org

Exit codes: 0 paused; 1 no such mentorship or person; 2 wrong command line or settings.`;

const RESUME = `
Ends a pause after a day, or without --after takes it back as if it had never been. Needs the database.

Examples:
  cadenced resume 4 --after 2026-07-20
  cadenced resume 4

Exit codes: 0 done; 1 no such pause, or it would end before it begins; 2 wrong command line or settings.`;

/** What an administrator says: `correct`, `pause`, `resume`. */
export function addStatementCommands(program: Command, io: Io, finish: Finish): void {
  program
    .command('correct')
    .summary('say what happened at a session')
    .description(paragraphs(CORRECT))
    .argument('<session>', 'number of the session', positive)
    .argument('<status>', 'met, not_met, attended, absent, excused, unknown or withdrawn')
    .requiredOption('--by <who>', 'who says so')
    .requiredOption('--reason <text>', 'why')
    .option('--email <address>', 'of this person only')
    .action(
      async (sessionId: number, status: string, given: { by: string; reason: string; email?: string }) => {
        const { runCorrect } = await import('./correct.ts');
        const { by, reason, email = null } = given;
        await finish(runCorrect({ sessionId, status, by, reason, email }, io));
      },
    );
  program
    .command('pause')
    .summary('name days on which nobody owes a session')
    .description(paragraphs(PAUSE))
    .option('--program <name>', 'with --mentorship')
    .option('--mentorship <name>', 'this mentorship')
    .option('--person <address>', 'every mentorship of this person')
    .requiredOption('--from <day>', 'first day, such as 2026-07-01', isoDay)
    .requiredOption('--until <day>', 'last day', isoDay)
    .option('--reason <text>', 'why')
    .option('--by <who>', 'who says so')
    .action(async (given: PauseFlags, self: Command) => {
      const { program: name, mentorship, person, from, until, reason = null, by = null } = given;
      const one = name !== undefined && mentorship !== undefined;
      const half = (name !== undefined) !== (mentorship !== undefined);
      if (half || one === (person !== undefined)) {
        self.error('error: give --program and --mentorship, or --person');
      }
      if (until < from) self.error('error: --until lies before --from');
      const { runPause } = await import('./correct.ts');
      const whose = one ? { program: name, mentorship } : { email: person ?? '' };
      await finish(runPause(whose, { from, until, reason, by }, io));
    });
  program
    .command('resume')
    .summary('end a pause, or take it back')
    .description(paragraphs(RESUME))
    .argument('<pause>', 'number of the pause', positive)
    .option('--after <day>', 'its last day', isoDay)
    .option('--by <who>', 'who says so')
    .action(
      async (pauseId: number, { after = null, by = null }: { after?: string | null; by?: string | null }) => {
        const { runResume } = await import('./correct.ts');
        await finish(runResume(pauseId, { after, by }, io));
      },
    );
}

interface PauseFlags {
  readonly program?: string;
  readonly mentorship?: string;
  readonly person?: string;
  readonly from: string;
  readonly until: string;
  readonly reason?: string;
  readonly by?: string;
}

function positive(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('Expected a number.');
  return number;
}

function isoDay(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || !DateTime.fromISO(text).isValid) {
    throw new InvalidArgumentError('Expected a day such as 2026-07-01.');
  }
  return text;
}
