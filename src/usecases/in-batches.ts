interface Place<Item> {
  readonly item: Item;
  readonly answer: Promise<void>;
  readonly settle: (answer: Promise<void>) => void;
}

/**
 * Gathers what is asked for while a batch is under way into the next one: under load the batches grow instead of the
 * queue, and an idle caller waits for nobody. The same item asked for twice before its batch begins is done once.
 * @param run does a batch; resolves as soon as the next one may begin, with what each item waits for, in order
 */
export function inBatches<Item>(
  run: (items: readonly Item[]) => Promise<ReadonlyArray<Promise<void>>>,
  limit: number,
  keyOf: (item: Item) => string,
): (item: Item) => Promise<void> {
  const waiting = new Map<string, Place<Item>>();
  let busy = false;

  async function drain(): Promise<void> {
    // What is asked for in the same turn belongs together.
    await Promise.resolve();
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, limit);
      for (const [key] of batch) waiting.delete(key);
      const places = batch.map(([, place]) => place);
      try {
        const answers = await run(places.map(({ item }) => item));
        for (const [at, { settle }] of places.entries()) settle(answers[at] ?? Promise.resolve());
      } catch (error) {
        for (const { settle } of places) settle(Promise.reject(error));
      }
    }
    busy = false;
  }

  return (item) => {
    const key = keyOf(item);
    const known = waiting.get(key);
    if (known) return known.answer;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(key, { item, answer: promise, settle: resolve });
    if (!busy) {
      busy = true;
      void drain();
    }
    return promise;
  };
}
