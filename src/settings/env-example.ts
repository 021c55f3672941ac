import { VARIABLE_GROUPS, VARIABLES, type VariableName } from './variables.ts';

const WIDTH = 100;

/** The text of `config/cadenced.env.example`: every variable with what it does and an example, none set. */
export function renderEnvExample(): string {
  const head = [
    '# Environment of cadenced. Copy this file, take the # away from what you need, and keep the copy private.',
    '# Every variable marked as a secret can be given as NAME_FILE=/path/of/a/file instead, not both.',
    '# Written by `node src/settings/write-schema.ts`; do not edit it by hand.',
  ];
  const groups = VARIABLE_GROUPS.flatMap(([title, names]) => [
    '',
    `## ${title}`,
    ...names.flatMap(renderVariable),
  ]);
  return `${[...head, ...groups].join('\n')}\n`;
}

function renderVariable(name: VariableName): string[] {
  const { about, example, secret } = VARIABLES[name];
  return ['', ...wrapped(secret ? `Secret. ${about}` : about), `#${name}=${example}`];
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
