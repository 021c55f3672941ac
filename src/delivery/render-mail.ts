import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { failure } from '../domain/failure.ts';
import { MAIL_KINDS, type MailKind, type MailModel } from '../domain/mail.ts';

export type RenderedMail = { readonly subject: string; readonly html: string; readonly text: string };

export type MailRenderer = {
  /**
   * @throws Failure `bug/mail_incomplete` when the model lacks something that the words or the template need:
   * a mail with a hole in it is worse than one that comes late.
   */
  render(model: MailModel): RenderedMail;
};

type Template = (data: object) => string;
type Words = {
  readonly texts: ReadonlyMap<MailKind, Readonly<Record<string, Template>>>;
  readonly lists: Readonly<Record<string, Readonly<Record<string, string>>>>;
};
type MessageFile = {
  readonly common: Readonly<Record<string, string>>;
  readonly kinds: Readonly<Record<MailKind, Readonly<Record<string, string>>>>;
  readonly words: Words['lists'];
};

/** The languages that have a message file; the first answers for every other. */
export const MAIL_LANGUAGES = ['en', 'de'] as const;

/**
 * Reads templates and words from `config/mail` once and compiles them. Templates give the form, messages the
 * words, so that a language is one JSON file. A tag such as `de-AT` finds `de`.
 * @throws Error when a file is missing or is not what it should be.
 */
export function loadMailRenderer(folder: string): MailRenderer {
  const forms = new Map(
    MAIL_KINDS.map((kind) => [
      kind,
      {
        html: (handlebars: typeof Handlebars) =>
          handlebars.compile(readFileSync(join(folder, `${kind}.html`), 'utf8'), { strict: true }),
        text: (handlebars: typeof Handlebars) =>
          handlebars.compile(readFileSync(join(folder, `${kind}.txt`), 'utf8'), {
            strict: true,
            noEscape: true,
          }),
      },
    ]),
  );
  const languages = new Map(
    MAIL_LANGUAGES.map((language) => {
      const file = JSON.parse(readFileSync(join(folder, `messages.${language}.json`), 'utf8')) as MessageFile;
      const handlebars = withHelpers(language, file.words);
      const kinds = new Map(
        MAIL_KINDS.map((kind) => {
          const form = forms.get(kind);
          if (form === undefined) throw new RangeError(`no template for ${kind}`);
          const texts = Object.entries({ ...file.common, ...file.kinds[kind] }).map(
            ([name, source]) => [name, handlebars.compile(source, { strict: true, noEscape: true })] as const,
          );
          return [kind, { texts, html: form.html(handlebars), text: form.text(handlebars) }] as const;
        }),
      );
      return [language as string, kinds] as const;
    }),
  );

  return {
    render(model) {
      const spoken = model.language.toLowerCase().split('-')[0] ?? '';
      const kinds = languages.get(spoken) ?? languages.get(MAIL_LANGUAGES[0]);
      const form = kinds?.get(model.kind);
      if (form === undefined)
        throw failure.bug('mail_incomplete', { detail: `no template for ${model.kind}` });
      try {
        const text = Object.fromEntries(form.texts.map(([name, words]) => [name, words(model.data)]));
        const data = { ...model.data, text, language: languages.has(spoken) ? spoken : MAIL_LANGUAGES[0] };
        return {
          subject: oneLine(text.subject ?? ''),
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

function withHelpers(language: string, lists: Words['lists']): typeof Handlebars {
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
    (list: string, code: string) => lists[list]?.[code] ?? code.replaceAll('_', ' '),
  );
  return handlebars;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Which variable was missing; handlebars names it, and never a value. */
function missingName(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return /^"([\w.]+)" not defined/.exec(message)?.[1] ?? 'a template failed';
}
