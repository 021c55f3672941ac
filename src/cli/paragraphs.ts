/**
 * A help text as Commander wraps it best: a line for a paragraph. Indented lines (examples) and what follows a colon
 * stay as they are written.
 */
export function paragraphs(text: string): string {
  return text.trim().replaceAll(/([^\n:])\n(?=\S)/g, '$1 ');
}
