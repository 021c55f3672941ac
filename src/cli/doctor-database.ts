import type { Settings } from '../settings/settings.ts';
import type { Inspection } from '../store/inspection.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { OpenDatabase } from './open.ts';

const TOLERATED_SKEW_MS = 5_000;

/** What is to be said of the database itself: server, rights, roles, schema, clock. */
export function databaseFindings(found: Inspection, database: OpenDatabase, settings: Settings): Finding[] {
  return [
    serverFinding(found, database),
    ...rightsFindings(found),
    schemaFinding(found),
    clockFinding(found, settings),
  ];
}

function serverFinding({ version, recent, encoding }: Inspection, { where }: OpenDatabase): Finding {
  if (!recent) {
    return fail(
      'database',
      `this is PostgreSQL ${version}`,
      'upgrade it to 15 or newer, or unset DATABASE_URL',
    );
  }
  if (encoding !== 'UTF8') {
    const statement = `create database ... encoding 'UTF8' template template0`;
    return fail('database', `its encoding is ${encoding}`, `names need UTF8; make another: ${statement}`);
  }
  return ok('database', `PostgreSQL ${version}, ${where}`);
}

function rightsFindings({ mayMigrate, missingRoles }: Inspection): Finding[] {
  const findings: Finding[] = [];
  if (!mayMigrate) {
    const mend =
      'make this database user the owner of the schemas cadenced and mentoring, or of the database';
    findings.push(fail('database rights', 'our user may not make or change tables', mend));
  }
  if (missingRoles.length > 0) {
    const statements = missingRoles.map((role) => `create role ${role} nologin;`).join(' ');
    findings.push(
      warn(
        'database roles',
        `missing: ${missingRoles.join(', ')}; nobody can be given the views through them`,
        `cadenced migrate makes them where it may; else let an administrator run: ${statements} and then cadenced migrate`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('database rights', 'enough, and all roles are there')];
}

function schemaFinding({ pending, unknown }: Inspection): Finding {
  if (unknown.length > 0) {
    const mend = 'run that version, or restore a backup from before it';
    return fail('schema', `prepared by a newer cadenced (${unknown.join(', ')})`, mend);
  }
  if (pending.length > 0) {
    return fail(
      'schema',
      `not what this version expects; missing: ${pending.join(', ')}`,
      'cadenced migrate',
    );
  }
  return ok('schema', 'up to date');
}

function clockFinding({ skewMs, aheadBy }: Inspection, { clock }: Settings): Finding {
  if (skewMs > TOLERATED_SKEW_MS) {
    const seconds = Math.round(skewMs / 1000);
    return fail('clock', `this machine and the database differ by ${seconds} s`, 'synchronise both (NTP)');
  }
  if (aheadBy !== null || clock !== null) {
    const moved = `business time is moved${aheadBy === null ? '' : ` by ${aheadBy}`}`;
    return warn('clock', moved, 'for real use unset CADENCED_CLOCK and restart the daemon');
  }
  return ok('clock', 'this machine and the database agree');
}
