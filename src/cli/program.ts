import { Command, CommanderError, InvalidArgumentError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { addStatementCommands } from './correct-program.ts';
import { renderProblem } from './failures.ts';
import { EXIT, type Io } from './io.ts';
import { paragraphs } from './paragraphs.ts';
import { addWebhookCommands } from './webhook-program.ts';

/**
 * The command line. What a command needs is loaded when it runs and not before, so that `--help` answers at once.
 */

export interface Program {
  /** The tree of commands, for help and completion. */
  readonly command: Command;
  /** Runs the command that `args` name (without node and the script). Never rejects. @returns the exit code */
  run(args: readonly string[]): Promise<number>;
}

/** Where a command leaves its exit code for `run`. */
export type Finish = (command: Promise<number>) => Promise<void>;

const ABOUT = `Finds mentor sessions in the calendars people already use, proves which ones happened, and keeps
mentorships on their cadence. Settings come from the environment: config/cadenced.env.example lists them all.`;

const FIRST_STEPS = `
First steps:
  npm start                              try everything on invented people, on this machine only
  cadenced import roster.csv --dry-run   see what a roster would change; without --dry-run, change it
  cadenced doctor                        see whether the settings, the database and the calendars are well
  cadenced start                         run the daemon

Exit codes of every command: 0 done; 1 tried, and did not wholly succeed; 2 wrong command line or settings,
nothing was tried. "cadenced help COMMAND" says more about one command.`;

const START = `
Runs the daemon until SIGINT or SIGTERM: reads calendars, judges sessions, sends reminders, alerts and webhooks.
Needs CADENCED_CONFIG, access to Google or Microsoft, and CADENCED_SEAL_KEYS; without DATABASE_URL it starts a
PostgreSQL of its own.

With --sandbox it needs nothing: local stand-ins take the place of Google, Microsoft, the mail server and a webhook
receiver, and a few weeks of an invented organisation pass in a minute. It makes a database of its own afresh at
every start (unless --keep) and refuses any other.

Examples:
  cadenced start
  cadenced start --sandbox --until-settled --json

Exit codes: 0 stopped as asked, or the story has settled; 1 failed; 2 wrong settings.`;

const MIGRATE = `
Brings the database to what this version expects: tables, views, roles, rights; all of it or nothing. "start" does
the same by itself, so this is for those who want to do it apart. Roles that this database user may not create are
printed as statements for an administrator. Needs DATABASE_URL, else it prepares the built-in database.

Example:
  DATABASE_URL=postgres://cadenced@db.example.org/cadenced cadenced migrate

Exit codes: 0 the database is up to date; 1 it is not, and nothing was changed; 2 wrong settings.`;

const IMPORT = `
Imports who meets whom from a CSV or JSON file, one row a member of a mentorship: all of it or, when there is any
mistake, nothing, and then every mistake is named by its line. The same file again changes nothing. What the file
does not name is left as it is: to end a mentorship give its ends_on. A row without a mentorship names somebody who
waits for one. Columns: program, mentorship, role, email, name, time_zone, calendar, starts_on, ends_on, aliases,
language, capacity, paused_from, paused_until (config/README.md explains them, config/roster.example.csv shows them).
Needs the database, and the programs in CADENCED_CONFIG or from an earlier start.

Examples:
  cadenced import roster.csv --dry-run
  cadenced import roster.csv

Exit codes: 0 imported, shown or unchanged; 1 the roster holds mistakes; 2 no such file, or wrong settings.`;

const SYNC = `
Reads every calendar once, now, and prints a line for each; a daemon may go on beside it. With --full it starts
anew instead of asking for changes only. Nobody is mailed by it: that is the daemon's work.
Needs the database and access to Google or Microsoft.

Examples:
  cadenced sync
  cadenced sync --calendar ada@example.org --full

Exit codes: 0 every calendar was read completely; 1 at least one was not; 2 wrong settings.`;

const STATUS = `
Shows the state of everything without changing anything: calendars and why one cannot be read, what is due, how the
sessions of the last 30 days ended, cadences, open alerts, mails and webhooks that did not leave.
With --json it prints one object, counted over everything stored: sessions, mails, webhooks, alerts, calendars,
errors. Needs the database.

Examples:
  cadenced status
  cadenced status --json | jq .sessions

Exit codes: 0 shown, whatever it shows; 1 the database cannot be read; 2 wrong settings.`;

const DOCTOR = `
Tries everything the daemon will need, changes nothing, and says of each thing what was found and how to mend it:
Node, settings, database, clock, keys, mail relay, up to five calendars of each provider, webhooks, and what holds
calendars back. Calendars are those of the roster: import it first. Prints no secret, so its output can be shown to
whoever helps.

Example:
  cadenced doctor

Exit codes: 0 nothing failed (there may be warnings); 1 at least one FAIL.`;

const APPROVE = `
When a pass finds suddenly that all, or a great part, of a calendar's mentor meetings are gone, their cancellations
are held back until a second look an hour later agrees. This command says that they are really gone: for the next
hour the calendar is believed. See them first with "cadenced status". Needs the database.

Examples:
  cadenced approve --calendar ada@example.org
  cadenced approve

Exit codes: 0 released, or nothing was held back; 1 no such calendar; 2 wrong settings.`;

/** Builds the command line. Nothing runs before `run`. */
export function createProgram(io: Io): Program {
  let code: number = EXIT.ok;
  const finish: Finish = async (command) => {
    code = await command;
  };
  const command = new Command('cadenced')
    .description(paragraphs(ABOUT))
    .version(packageFile.version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'say more about a command')
    .addHelpText('after', FIRST_STEPS)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text.replace(/\n$/, '')),
      writeErr: (text) => io.stderr(text.replace(/\n$/, '')),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .showHelpAfterError('"cadenced help COMMAND" says more about a command.');
  addDaemonCommands(command, io, finish);
  addRosterCommands(command, io, finish);
  addLookingCommands(command, io, finish);
  addStatementCommands(command, io, finish);
  addWebhookCommands(command, io, finish);

  return {
    command,
    async run(args) {
      code = EXIT.ok;
      try {
        if (args.length === 0) {
          command.outputHelp();
          return EXIT.misused;
        }
        await command.parseAsync(args, { from: 'user' });
        return code;
      } catch (problem) {
        // Commander has printed its complaint already; help that was asked for comes here, too.
        if (problem instanceof CommanderError) return problem.exitCode === 0 ? EXIT.ok : EXIT.misused;
        for (const line of renderProblem(problem)) io.stderr(line);
        return EXIT.failed;
      }
    },
  };
}

function addDaemonCommands(command: Command, io: Io, finish: Finish): void {
  command
    .command('start')
    .summary('run the daemon, or try it in a sandbox')
    .description(paragraphs(START))
    .option('--sandbox', 'invented people, stand-ins for all providers, everything on this machine')
    .option('--until-settled', 'with --sandbox: end when the story is told')
    .option('--json', 'with --sandbox --until-settled: print one JSON object at the end, nothing else')
    .option(
      '--sandbox-seed <n>',
      'with --sandbox: another invented organisation for each number',
      wholeNumber,
      1,
    )
    .option('--keep', 'with --sandbox: go on with the database of the last start')
    .action(async (given: StartFlags, self: Command) => {
      const { sandbox = false, untilSettled = false, json = false, sandboxSeed, keep = false } = given;
      const alone = ONLY_IN_THE_SANDBOX.find(([name]) => self.getOptionValueSource(name) === 'cli');
      if (!sandbox && alone) self.error(`error: ${alone[1]} needs --sandbox`);
      const { runStart } = await import('./start.ts');
      await finish(runStart({ sandbox, untilSettled, json, sandboxSeed, keep }, io));
    });
  command
    .command('migrate')
    .summary('bring the database up to date')
    .description(paragraphs(MIGRATE))
    .action(async () => {
      const { runMigrate } = await import('./migrate.ts');
      await finish(runMigrate(io));
    });
}

interface StartFlags {
  readonly sandbox?: true;
  readonly untilSettled?: true;
  readonly json?: true;
  readonly sandboxSeed: number;
  readonly keep?: true;
}

const ONLY_IN_THE_SANDBOX = [
  ['untilSettled', '--until-settled'],
  ['json', '--json'],
  ['sandboxSeed', '--sandbox-seed'],
  ['keep', '--keep'],
] as const;

function addRosterCommands(command: Command, io: Io, finish: Finish): void {
  command
    .command('import')
    .summary('import a roster, or show what it would change')
    .description(paragraphs(IMPORT))
    .argument('<file>', 'the roster, CSV or JSON, UTF-8')
    .option('--dry-run', 'show what would change and change nothing')
    .action(async (file: string, { dryRun = false }: { dryRun?: boolean }) => {
      const { runImport } = await import('./import.ts');
      await finish(runImport(file, { dryRun }, io));
    });
  command
    .command('sync')
    .summary('read the calendars once, now')
    .description(paragraphs(SYNC))
    .option('--calendar <address>', 'only this calendar')
    .option('--full', 'read everything, not only what changed')
    .action(async ({ calendar = null, full = false }: { calendar?: string | null; full?: boolean }) => {
      const { runSync } = await import('./sync.ts');
      await finish(runSync({ calendar, full }, io));
    });
}

function addLookingCommands(command: Command, io: Io, finish: Finish): void {
  command
    .command('status')
    .summary('show the state of everything')
    .description(paragraphs(STATUS))
    .option('--json', 'one object for programs')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { runStatus } = await import('./status.ts');
      await finish(runStatus({ json }, io));
    });
  command
    .command('doctor')
    .summary('try everything the daemon needs and say how to mend it')
    .description(paragraphs(DOCTOR))
    .action(async () => {
      const { runDoctor } = await import('./doctor.ts');
      await finish(runDoctor(io));
    });
  command
    .command('approve')
    .summary('believe cancellations that were held back')
    .description(paragraphs(APPROVE))
    .option('--calendar <address>', 'only this calendar')
    .action(async ({ calendar = null }: { calendar?: string | null }) => {
      const { runApprove } = await import('./approve.ts');
      await finish(runApprove(calendar, io));
    });
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('Expected a whole number.');
  return number;
}
