import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { problem } from './problem.ts';

export type SqlFile = {
  /** The file name without `.sql`, as the ledger keeps it. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Hex, over the text with Unix line ends, so that a Windows checkout agrees. */
  readonly sha256: string;
};

const NUMBERED = /^\d{4}_[a-z0-9_]+\.sql$/;

/**
 * The numbered SQL files of a folder (`0001_what.sql`) in order; none when the folder is missing.
 * Throws when a `.sql` file has another name or two share a number: the order would be anybody's guess.
 */
export function readNumberedSql(folder: string): SqlFile[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  const misnamed = names.filter((name) => !NUMBERED.test(name));
  if (misnamed.length > 0) {
    throw problem(
      'bug',
      'sql_file_misnamed',
      `SQL files in ${folder} must be called NNNN_name.sql: ${misnamed.join(', ')}`,
    );
  }
  const numbers = names.map((name) => name.slice(0, 4));
  const twice = names.filter(
    (name) => numbers.indexOf(name.slice(0, 4)) !== numbers.lastIndexOf(name.slice(0, 4)),
  );
  if (twice.length > 0) {
    throw problem(
      'bug',
      'sql_number_taken_twice',
      `SQL files in ${folder} share a number: ${twice.join(', ')}`,
    );
  }
  return names.sort().map((name) => readSql(join(folder, name)));
}

export function readSql(path: string): SqlFile {
  const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  return { name: basename(path, '.sql'), path, text, sha256: sha256(text) };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

// Whatever may hold a semicolon that ends nothing: comments, texts, quoted names, dollar-quoted bodies.
// https://www.postgresql.org/docs/current/sql-syntax-lexical.html
const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|;/g;

/** The statements of an SQL text, trimmed, without their semicolons. Nested block comments are not supported. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let from = 0;
  for (const token of text.matchAll(TOKEN)) {
    if (token[0] !== ';') continue;
    statements.push(text.slice(from, token.index));
    from = token.index + 1;
  }
  statements.push(text.slice(from));
  return statements.map((statement) => statement.trim()).filter((statement) => hasContent(statement));
}

function hasContent(statement: string): boolean {
  return statement.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').trim() !== '';
}
