import type { ClientBase } from 'pg';
import { errorCode } from './problem.ts';
import { type SqlFile, splitStatements } from './sql-files.ts';

const INSUFFICIENT_PRIVILEGE = '42501';
const UNDEFINED_OBJECT = '42704';
const DUPLICATE_OBJECT = '42710';
const UNIQUE_VIOLATION = '23505';

const CREATE_ROLE = /^create\s+role\s+"?(\w+)"?/i;
const LEADING_COMMENTS = /^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/;

/**
 * Runs the statements of a file, each in its own savepoint, and returns those that this database user may not run
 * (or that name a role which therefore does not exist), for a database administrator to run by hand. Roles belong
 * to the whole server, so one that another database of ours already made is no error. Must run in a transaction.
 */
export async function applyWherePermitted(client: ClientBase, file: SqlFile): Promise<string[]> {
  const refused: string[] = [];
  for (const written of splitStatements(file.text)) {
    const statement = written.replace(LEADING_COMMENTS, '');
    const role = CREATE_ROLE.exec(statement)?.[1];
    // Asked first, because a user without the right is refused even when the role is there.
    if (role !== undefined && (await roleExists(client, role))) continue;
    await client.query('savepoint permitted');
    try {
      await client.query(statement);
    } catch (error) {
      const code = errorCode(error);
      await client.query('rollback to savepoint permitted');
      if (code === INSUFFICIENT_PRIVILEGE || code === UNDEFINED_OBJECT) refused.push(`${statement};`);
      // Somebody else preparing another database on the same server made it first.
      else if (role === undefined || (code !== DUPLICATE_OBJECT && code !== UNIQUE_VIOLATION)) throw error;
    }
    await client.query('release savepoint permitted');
  }
  return refused;
}

async function roleExists(client: ClientBase, role: string): Promise<boolean> {
  const found = await client.query('select from pg_catalog.pg_roles where rolname = $1', [role]);
  return found.rowCount === 1;
}
