/** Those that may wait for each other at one key. */
const QUEUE = 16;

/** Lets one at a time do something for a key, in the order in which they come. */
export class KeyLocks {
  readonly #locks = new Map<string, { tail: Promise<void>; waiting: number }>();

  has(key: string): boolean {
    return this.#locks.has(key);
  }

  /** Waits for the turn; undefined if too many wait. The answer gives it to the next, and is to be called once. */
  async take(key: string): Promise<(() => void) | undefined> {
    const lock = this.#locks.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
    if (lock.waiting >= QUEUE) return undefined;
    this.#locks.set(key, lock);
    lock.waiting++;
    const before = lock.tail;
    let open = (): void => {};
    lock.tail = new Promise<void>((resolve) => {
      open = resolve;
    });
    await before;
    return () => {
      lock.waiting--;
      if (lock.waiting === 0) this.#locks.delete(key);
      open();
    };
  }
}
