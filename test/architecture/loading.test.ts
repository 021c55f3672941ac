import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { filesOnDisk, PROJECT } from './source-files.ts';

const run = promisify(execFile);

/**
 * Imports every file in turn, in a process that has no environment and may neither write nor start anything, and
 * tells what happened besides. Packages are let read the environment: only a reader among our files counts.
 */
const IMPORT_ALL = `
  import { pathToFileURL } from 'node:url';
  const [root, ...files] = process.argv.slice(1);
  const sources = pathToFileURL(root + '/src/').href;
  const readers = new Set();
  const note = (target, name) => {
    const caller = new Error().stack.split('\\n')[2] ?? '';
    if (caller.includes(sources)) readers.add(String(name));
    return Reflect.get(target, name);
  };
  process.env = new Proxy(process.env, { get: note });
  const listening = () => process.eventNames().map((name) => String(name) + ' ' + process.listenerCount(name));
  const before = new Set(listening());
  const failed = [];
  for (const file of files) {
    try {
      await import(pathToFileURL(root + '/' + file).href);
    } catch (problem) {
      failed.push(file + ': ' + problem.message);
    }
  }
  // What the output of the report itself may hold open.
  const left = process.getActiveResourcesInfo().filter((kind) => !/^(?:FSReqPromise|PipeWrap|TTYWrap)$/.test(kind));
  process.stdout.write(JSON.stringify({
    failed,
    readers: [...readers],
    listeners: listening().filter((name) => !before.has(name)),
    left,
    imported: files.length,
  }));
`;

interface Findings {
  readonly failed: readonly string[];
  readonly readers: readonly string[];
  readonly listeners: readonly string[];
  readonly left: readonly string[];
  readonly imported: number;
}

async function importAll(root: string, files: readonly string[]): Promise<Findings & { stderr: string }> {
  const { stdout, stderr } = await run(
    process.execPath,
    ['--permission', '--allow-fs-read=*', '--input-type=module', '--eval', IMPORT_ALL, root, ...files],
    // It has to end by itself: what keeps it alive is a side effect, too.
    { env: {}, timeout: 45_000, maxBuffer: 1 << 24 },
  );
  return { ...(JSON.parse(stdout) as Findings), stderr };
}

describe('importing a file', () => {
  it('does nothing: no environment is read, nothing written, started, heard or left running', async () => {
    const files = filesOnDisk('src').filter((path) => path !== 'src/main.ts');
    expect(await importAll(PROJECT.replace(/\/$/, ''), files)).toEqual({
      failed: [],
      readers: [],
      listeners: [],
      left: [],
      imported: files.length,
      stderr: '',
    });
  });

  it('would be caught at anything it did', async () => {
    const root = mkdtempSync(join(tmpdir(), 'cadenced-loading-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, 'src'));
    const offenders = {
      'src/reads.ts': `export const home = process.env.HOME ?? null;`,
      'src/writes.ts': `import { writeFileSync } from 'node:fs'; writeFileSync('${join(root, 'x')}', '');`,
      'src/starts.ts': `import { spawn } from 'node:child_process'; spawn('true');`,
      'src/hears.ts': `process.on('SIGUSR2', () => undefined);`,
      'src/stays.ts': `setTimeout(() => undefined, 50);`,
    };
    for (const [path, text] of Object.entries(offenders)) writeFileSync(join(root, path), text);
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    const findings = await importAll(root, Object.keys(offenders));
    expect(findings.readers).toEqual(['HOME']);
    expect(findings.failed.map((line) => line.split(':', 1)[0])).toEqual(['src/writes.ts', 'src/starts.ts']);
    expect(findings.listeners).toEqual(['SIGUSR2 1']);
    expect(findings.left).toContain('Timeout');
  });
});
