export interface BoundedQueueOptions {
  /** Tasks that run at the same time. */
  readonly concurrency: number;
  /** Tasks that may wait beyond those. */
  readonly waiting: number;
  /** Makes the error with which one more is refused. */
  readonly full: () => Error;
}

export type BoundedQueue = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs tasks in the order of arrival, a few at a time; refuses at once what would wait beyond the bound. */
export function boundedQueue({ concurrency, waiting, full }: BoundedQueueOptions): BoundedQueue {
  const turns: (() => void)[] = [];
  let running = 0;

  return async (task) => {
    if (running >= concurrency) {
      if (turns.length >= waiting) throw full();
      // The one that ends hands its place over, so `running` stays as it is.
      await new Promise<void>((turn) => turns.push(turn));
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      const next = turns.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
