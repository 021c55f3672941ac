/**
 * Asks for the next page while the one before it is being worked on: the provider's time and ours then overlap
 * instead of adding up. One page ahead and no more, so that memory stays flat.
 */
export async function* readAhead<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  let coming = iterator.next();
  try {
    for (;;) {
      const page = await coming;
      if (page.done) return;
      coming = iterator.next();
      // It is awaited in the next round; until then a failure of it is nobody's unhandled rejection.
      coming.catch(() => undefined);
      yield page.value;
    }
  } finally {
    await iterator.return?.();
  }
}
