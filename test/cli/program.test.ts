import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { folder, terminal } from './terminal.ts';

const bare = terminal({});

function everyCommand(): string[][] {
  const names: string[][] = [];
  const walk = (command: Command, path: string[]) => {
    for (const child of command.commands) {
      names.push([...path, child.name()]);
      walk(child, [...path, child.name()]);
    }
  };
  const io = { columns: 100 } as Parameters<typeof createProgram>[0];
  walk(createProgram(io).command, []);
  return names;
}

describe('the command line', () => {
  it('knows every command of the contract', () => {
    const names = everyCommand().map((path) => path.join(' '));
    expect(names).toEqual(
      expect.arrayContaining([
        ...['start', 'migrate', 'import', 'sync', 'status', 'doctor', 'approve'],
        ...['add', 'list', 'test', 'replay', 'rotate', 'pause', 'disable'].map((verb) => `webhook ${verb}`),
      ]),
    );
  });

  it.each(everyCommand())('says of "%s %s" what it does, what it needs and how it ends', async (...path) => {
    const { code, out } = await bare.run(...path.filter((word) => word !== undefined), '--help');
    const text = out.join('\n');
    expect(code).toBe(0);
    expect(text).toMatch(/\bneeds?\b/i);
    if (path.at(-1) !== 'list') expect(text).toContain('Exit codes:');
    expect(out.filter((line) => line.length > 130)).toEqual([]);
  });

  it.each([
    [[], 'Usage: cadenced'],
    [['impot'], 'Did you mean import?'],
    [['import'], "missing required argument 'file'"],
    [['status', '--jso'], 'Did you mean --json?'],
    [['status', 'extra'], 'too many arguments'],
    [['start', '--until-settled'], '--until-settled needs --sandbox'],
    [['start', '--sandbox', '--sandbox-seed', 'seven'], 'Expected a whole number'],
    [['webhook', 'add', 'https://crm.example', '--types', 'session.judgd'], 'Did you mean session.judged?'],
    [['webhook', 'replay', 'crm', '--since', 'yesterday'], 'expected an instant'],
    [['webhook', 'replay', 'crm', '--since', '2026-01-01', '--event', 'evt_1'], 'not both'],
  ])('refuses %j with exit code 2 and says why', async (args, why) => {
    const { code, out, err } = await bare.run(...args);
    expect(code).toBe(2);
    expect([...out, ...err].join('\n')).toContain(why);
  });

  it('prints its version', async () => {
    expect(await bare.run('--version')).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^\d+\.\d+\.\d+/)],
    });
  });
});

describe('settings', () => {
  it('are refused with every mistake at once, and without their secrets', async () => {
    using files = folder();
    const wrong = terminal({
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      CADENCED_PORT: 'eighty',
      CADENCED_SEAL_KEYS: 'tooshort-secret',
      CADENCED_CONFIG: files.write('c.yaml', 'programs:\n  - name: Oak\n    time_zone: Berlin\n'),
      CADENCED_PROT: '1',
    });
    for (const command of [['status'], ['migrate'], ['sync'], ['approve'], ['webhook', 'list']]) {
      const { code, out, err } = await wrong.run(...command);
      const text = err.join('\n');
      expect([command, code, out]).toEqual([command, 2, []]);
      for (const name of [
        'DATABASE_URL',
        'CADENCED_PORT',
        'CADENCED_SEAL_KEYS',
        'CADENCED_PROT',
        'c.yaml:3',
      ]) {
        expect(text).toContain(name);
      }
      expect(text).not.toMatch(/hunter2|tooshort/);
    }
  });

  it.each([['status'], ['migrate'], ['approve']])(
    'reach a database that is away: %s says so and fails',
    async (command) => {
      const away = terminal({ DATABASE_URL: 'postgres://cadenced:hunter2@127.0.0.1:1/cadenced' });
      const { code, out, err } = await away.run(command);
      expect(code).toBe(1);
      expect(out).toEqual([]);
      expect(err).toEqual([
        'PostgreSQL does not answer (ECONNREFUSED): check host and port in DATABASE_URL, and that it runs.',
      ]);
    },
  );

  it('do not make a database where somebody only looks', async () => {
    const nothing = terminal({ CADENCED_DATA_DIR: '/nonexistent/cadenced' });
    const { code, err } = await nothing.run('status');
    expect(code).toBe(1);
    expect(err.join('\n')).toContain('There is no database yet');
  });
});
