/** One mistake in the settings, told so that a person can mend it without reading the source. */
export type Mistake = {
  /** The variable (`CADENCED_PORT`) or the file (`/etc/cadenced/cadenced.yaml`). */
  readonly source: string;
  /** Counts from 1, as an editor shows it. */
  readonly line?: number;
  /** Where in the file: `programs[0].cadence.every`. */
  readonly path?: string;
  readonly expected: string;
  /** What was there, already redacted; null when nothing was. */
  readonly value: string | null;
};

/** `cadenced.yaml:12 programs[0].cadence.every: "14 days"; expected whole days such as P14D` */
export function renderMistake({ source, line, path, expected, value }: Mistake): string {
  const place = line === undefined ? source : `${source}:${line}`;
  const where = path === undefined || path === '' ? place : `${place} ${path}`;
  return `${where}: ${value ?? 'nothing there'}; expected ${expected}`;
}

/** A value as it may be printed: JSON, cut short. */
export function shownValue(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
