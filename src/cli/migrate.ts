import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';

/** `cadenced migrate`: brings the database to what this version expects and tells what was done. */
export function runMigrate(io: Io): Promise<number> {
  return withWorkshop(io, [], async ({ prepared }, { database }) => {
    for (const name of prepared.applied) io.stdout(`applied ${name}`);
    io.stdout(
      prepared.applied.length > 0
        ? `The database (${database.where}) is up to date now.`
        : `The database (${database.where}) was up to date already.`,
    );
    if (prepared.rolesToCreate.length > 0) {
      io.stderr('This database user may not run the following; let an administrator of the database do so:');
      for (const statement of prepared.rolesToCreate) io.stderr(`  ${statement}`);
    }
    return EXIT.ok;
  });
}
