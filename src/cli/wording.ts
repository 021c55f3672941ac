/** `1 event`, `3 events`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A name as it has to be typed after a command: `crm`, `'sandbox receiver'`. */
export function asArgument(name: string): string {
  return /^[\p{L}\p{N}._-]+$/u.test(name) ? name : `'${name}'`;
}
