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
  const quoted = fc
    .stringMatching(/^[a-z; $'-]*$/)
    .chain((text) =>
      fc.constantFrom(`'${text.replaceAll("'", "''")}'`, `$q$${text}$q$`, `"x${text.replaceAll('"', '')}"`),
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
