import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOnDisk, PROJECT } from './source-files.ts';

// `cadenced.now()` is a query of its own: in a condition it is run once for every row it is held against, which made
// the look for what is due take seconds with a quarter of a million calendars. In a subquery it is run once.
const BARE = /(?<!select )cadenced\.now\(\)/;

describe('business time in SQL', () => {
  it('is asked for once a statement, as (select cadenced.now()), or given as a value', () => {
    const statements = [
      ...filesOnDisk('src').flatMap((path) => textsIn(path, /\bsql(?:<[^`]*>)?`([^`]*)`/g)),
      // Functions are left out: each is one call, and compares no rows.
      ...readdirSync(join(PROJECT, 'sql/views')).flatMap((name) =>
        textsIn(`sql/views/${name}`, /^(create view[\s\S]*?;)$/gm),
      ),
    ];
    expect(statements.filter(({ text }) => text.includes('select cadenced.now()')).length).toBeGreaterThan(
      10,
    );
    expect(statements.filter(({ text }) => BARE.test(text))).toEqual([]);
  });
});

function textsIn(path: string, pattern: RegExp): Array<{ path: string; text: string }> {
  const source = readFileSync(join(PROJECT, path), 'utf8');
  return [...source.matchAll(pattern)].map((match) => ({ path, text: match[1] ?? '' }));
}
