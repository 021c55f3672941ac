import { readFile } from 'node:fs/promises';
import { renderRosterProblem } from '../domain/parse-roster.ts';
import { importRoster } from '../usecases/import-roster.ts';
import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';
import { counted } from './wording.ts';

export interface ImportOptions {
  readonly dryRun: boolean;
}

/** `cadenced import FILE`: the whole roster or nothing of it. */
export async function runImport(file: string, options: ImportOptions, io: Io): Promise<number> {
  const read = await readRoster(file);
  if ('mistake' in read) {
    io.stderr(read.mistake);
    return EXIT.misused;
  }
  return withWorkshop(io, [], async ({ roster }) => {
    // Every row would be refused for its program, and the one reason would drown.
    if ((await roster.programs()).length === 0) {
      io.stderr(
        'No program is known yet: name it in the file that CADENCED_CONFIG points to (config/example.yaml).',
      );
      return EXIT.misused;
    }
    const result = await importRoster(roster, read.text, options.dryRun);
    if (result.outcome === 'refused') {
      for (const problem of result.problems) io.stderr(`${file}, ${renderRosterProblem(problem)}`);
      for (const conflict of result.conflicts) io.stderr(`${file}: ${conflict}`);
      const count = result.problems.length + result.conflicts.length;
      io.stderr(`Nothing was imported: ${counted(count, 'mistake')}.`);
      return EXIT.failed;
    }
    for (const line of result.lines) io.stdout(line);
    if (result.outcome === 'shown') io.stdout('This was a dry run: nothing was changed.');
    if (result.outcome === 'applied') io.stdout('Imported. The calendars concerned are read again at once.');
    return EXIT.ok;
  });
}

/** Read before the database is opened, so that a mistyped name costs nothing. */
async function readRoster(file: string): Promise<{ text: string } | { mistake: string }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (problem) {
    const { code } = problem as { code?: string };
    const why =
      { ENOENT: 'there is no such file', EACCES: 'this user may not read it', EISDIR: 'it is a folder' }[
        code ?? ''
      ] ?? `it cannot be read (${code ?? 'unknown reason'})`;
    return { mistake: `${file}: ${why}. Name a roster in CSV or JSON; config/roster.example.csv shows one.` };
  }
  try {
    // Decoded leniently, a spreadsheet's Windows-1252 would turn every accented name into question marks for good.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { mistake: `${file}: it is not UTF-8. In a spreadsheet choose "CSV UTF-8" when you save it.` };
  }
}
