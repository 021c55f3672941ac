import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { locateProject } from '../../src/runtime/locate.ts';

/** A thousand calendars fit into 250 MB only with these flags, and nothing but memory would tell that one was lost. */
const { root } = locateProject();
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const flagsOf = (command: string) =>
  command.match(/--(?:max-semi-space-size|heap-growing-percent)=\d+/g) ?? [];

const { scripts } = JSON.parse(text('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const flags = flagsOf(scripts.cadenced ?? '');

test('however the daemon is started, V8 gets the same bounds', () => {
  expect(flags).toHaveLength(2);
  const [interpreter = ''] = text('src/main.ts').split('\n');
  const [entrypoint = ''] = text('Dockerfile').match(/^ENTRYPOINT .*$/m) ?? [];
  expect({
    'npm start': flagsOf(scripts.start ?? ''),
    'src/main.ts': flagsOf(interpreter),
    Dockerfile: flagsOf(entrypoint),
  }).toEqual({ 'npm start': flags, 'src/main.ts': flags, Dockerfile: flags });
});

test('this Node knows them: it refuses to start with a flag that V8 dropped', () => {
  expect(spawnSync(process.execPath, [...flags, '-e', '']).status).toBe(0);
  expect(spawnSync(process.execPath, ['--heap-growing-percentage=40', '-e', '']).status).not.toBe(0);
});
