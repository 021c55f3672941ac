import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { locateProject } from '../../src/runtime/locate.ts';

test('finds the folders from a module in a checkout and from a bundle beside them', () => {
  const root = mkdtempSync(join(tmpdir(), 'cadenced-locate-'));
  try {
    for (const folder of ['sql/migrations', 'config', 'src/runtime']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    const expected = { root, sql: join(root, 'sql'), config: join(root, 'config') };
    for (const module of ['src/runtime/locate.ts', 'cadenced.mjs', 'dist/cadenced.mjs']) {
      expect(locateProject(pathToFileURL(join(root, module)).href)).toEqual(expected);
    }
    rmSync(join(root, 'config'), { recursive: true });
    expect(() => locateProject(pathToFileURL(join(root, 'cadenced.mjs')).href)).toThrow(
      'no complete installation',
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});
