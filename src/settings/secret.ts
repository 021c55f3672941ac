/**
 * A text that must not be printed. Whoever needs it calls `reveal()` at the last moment; a log line, a JSON
 * dump or a template that meets it by accident shows only how long it is.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return hiddenText(this.#text);
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** What is shown in place of a text that may be secret: its length tells an empty or truncated one. */
export function hiddenText(text: string): string {
  return `(hidden, ${text.length} characters)`;
}
