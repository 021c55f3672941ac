import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitStatements } from '../../src/store/sql-files.ts';

test.each([
  ['select 1; select 2', ['select 1', 'select 2']],
  [`select ';', ''';'; select "a;b"`, [`select ';', ''';'`, 'select "a;b"']],
  [`do $$ begin perform 1; end $$; select 2;`, ['do $$ begin perform 1; end $$', 'select 2']],
  [`do $a$ select '$$;'; $a$;`, [`do $a$ select '$$;'; $a$`]],
  [`select E'\\';' ; select 2`, [`select E'\\';'`, 'select 2']],
  ['-- a; b\nselect 1; -- the end;', ['-- a; b\nselect 1']],
  ['/* ; */ select 1;;;', ['/* ; */ select 1']],
  ['', []],
])('%j', (text, expected) => {
  expect(splitStatements(text)).toEqual(expected);
});

test('whatever is joined by semicolons comes apart again', () => {
  const text = fc.stringMatching(/^[a-z; $'-]*$/);
  // A dollar-quoted body ends at the first `$q$`: one that holds it, or that makes it with its own end, is
  // two tokens to Postgres as well.
  const dollarBody = text.filter((body) => `${body}$q$`.indexOf('$q$') === body.length);
  const quoted = fc.oneof(
    text.map((body) => `'${body.replaceAll("'", "''")}'`),
    text.map((body) => `"x${body}"`),
    dollarBody.map((body) => `$q$${body}$q$`),
  );
  const statement = fc
    .array(quoted, { minLength: 1, maxLength: 4 })
    .map((parts) => `select ${parts.join(', ')}`);
  fc.assert(
    fc.property(fc.array(statement), (statements) => {
      expect(splitStatements(`${statements.join(';\n')};`)).toEqual(statements);
    }),
  );
});
