/**
 * Resolves after so many milliseconds; rejects with the signal's reason as soon as it is aborted. An `idle` pause does not keep a program
 * from ending.
 */
export function pause(signal: AbortSignal, milliseconds: number, idle?: 'idle'): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (idle !== undefined) timer.unref();
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** The work, or the signal's reason as a rejection if that is earlier; the work itself goes on. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
