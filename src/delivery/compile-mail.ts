import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAIL_KINDS } from '../domain/mail.ts';
import { locateProject } from '../runtime/locate.ts';

/**
 * Compiles the MJML sources to the HTML that is committed beside them: MJML weighs 61 MB and belongs to the
 * build, not to the image. With `check` it writes nothing. Gives the names of the files that differ.
 * @throws Error when a source is not valid MJML.
 */
export async function compileMail(folder: string, check: boolean): Promise<readonly string[]> {
  const { default: mjml } = await import('mjml');
  const stale: string[] = [];
  for (const kind of MAIL_KINDS) {
    const source = join(folder, `${kind}.mjml`);
    const { html } = await mjml(await readFile(source, 'utf8'), {
      filePath: source,
      ignoreIncludes: false,
      validationLevel: 'strict',
      keepComments: false,
      // By default MJML loads well-known fonts from Google, which would tell Google who reads which mail.
      fonts: {},
    });
    const wanted = `${html
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{2,}/g, '\n')
      .trim()}\n`;
    const current = await readFile(join(folder, `${kind}.html`), 'utf8').catch(() => null);
    if (current === wanted) continue;
    stale.push(`${kind}.html`);
    if (!check) await writeFile(join(folder, `${kind}.html`), wanted);
  }
  return stale;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale = await compileMail(join(locateProject().config, 'mail'), check);
  for (const name of stale)
    process.stdout.write(`${check ? 'differs from its source' : 'written'}: ${name}\n`);
  if (check && stale.length > 0) process.exitCode = 1;
}
