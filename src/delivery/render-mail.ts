import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { failure } from '../domain/failure.ts';
import { MAIL_KINDS, type MailKind, type MailModel } from '../domain/mail.ts';
import { DEFAULT_LANGUAGE, loadMailWords, type MailWords } from './mail-words.ts';

export type RenderedMail = { readonly subject: string; readonly html: string; readonly text: string };

export type MailRenderer = {
  /** The languages that have words, sorted. */
  readonly languages: readonly string[];
  /**
   * @throws Failure `bug/mail_incomplete` when the model lacks something that the words or the template need:
   * a mail with a hole in it is worse than one that comes late.
   */
  render(model: MailModel): RenderedMail;
};

type Template = (data: object) => string;
type Form = {
  readonly texts: ReadonlyArray<readonly [name: string, template: Template]>;
  readonly html: Template;
  readonly text: Template;
};

/**
 * Reads templates and words from `config/mail` once and compiles them. Templates give the form, messages the
 * words, so that a language is one JSON file. A tag such as `de-AT` finds `de`.
 * @throws Error when a file is missing, RangeError when a language is incomplete.
 */
export function loadMailRenderer(folder: string): MailRenderer {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const sources = MAIL_KINDS.map((kind) => ({ kind, html: read(`${kind}.html`), text: read(`${kind}.txt`) }));
  const languages = new Map(
    [...loadMailWords(folder)].map(([language, words]) => {
      const handlebars = withHelpers(words);
      const plain = (source: string) => handlebars.compile(source, { strict: true, noEscape: true });
      const forms = new Map<MailKind, Form>(
        sources.map(({ kind, html, text }) => [
          kind,
          {
            texts: Object.entries({ ...words.common, ...words.kinds[kind] }).map(([name, source]) => [
              name,
              plain(source),
            ]),
            html: handlebars.compile(html, { strict: true }),
            text: plain(text),
          },
        ]),
      );
      return [language, forms] as const;
    }),
  );

  return {
    languages: [...languages.keys()].sort(),
    render(model) {
      const spoken = model.language.toLowerCase().split('-')[0] ?? '';
      const language = languages.has(spoken) ? spoken : DEFAULT_LANGUAGE;
      const form = languages.get(language)?.get(model.kind);
      if (form === undefined)
        throw failure.bug('mail_incomplete', { detail: `no template for ${model.kind}` });
      try {
        const text = Object.fromEntries(form.texts.map(([name, words]) => [name, words(model.data)]));
        const data = { ...model.data, text, language };
        return {
          subject: (text.subject ?? '').replace(/\s+/g, ' ').trim(),
          html: form.html(data),
          text: form.text(data).replace(/\n{3,}/g, '\n\n'),
        };
      } catch (error) {
        throw failure.bug('mail_incomplete', {
          detail: `${model.kind}: ${missingName(error)}`,
          cause: error,
        });
      }
    },
  };
}

function withHelpers({ language, words }: MailWords): typeof Handlebars {
  const handlebars = Handlebars.create();
  const plurals = new Intl.PluralRules(language);
  // Strict mode guards what is printed, not what is asked for: a condition on a missing variable would be
  // taken for "no" and a list that is not there for an empty one.
  for (const name of ['if', 'each'] as const) {
    const builtIn = handlebars.helpers[name] as Handlebars.HelperDelegate;
    handlebars.registerHelper(
      name,
      function (this: unknown, subject: unknown, options: Handlebars.HelperOptions) {
        if (subject === undefined) throw new RangeError(`#${name} of a variable that is not defined`);
        return builtIn.call(this, subject, options) as unknown;
      },
    );
  }
  // A language with more forms than two names them all: `one`, `few`, `many`, `other`.
  handlebars.registerHelper('plural', (count: number, options: Handlebars.HelperOptions) => {
    const forms = options.hash as Record<string, string>;
    return forms[plurals.select(count)] ?? forms.other;
  });
  // A code that has no words yet is still told, in its own letters, instead of stopping the mail.
  handlebars.registerHelper(
    'word',
    (list: string, code: string) => words[list]?.[code] ?? code.replaceAll('_', ' '),
  );
  return handlebars;
}

/** Which variable was missing; handlebars names it, and never a value. */
function missingName(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return /^"([\w.]+)" not defined/.exec(message)?.[1] ?? 'a template failed';
}
