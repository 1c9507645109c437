import { Failure } from '@sallyport/model';

/** The ETag of a version of a policy (RFC 9110 section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Fails with `changed_meanwhile` unless the header If-Match allows a change of this version. No header and `*` allow any
 * (RFC 9110 section 13.1.1).
 */
export function demandMatch(header: string | undefined, version: number): void {
  if (header === undefined || header.trim() === '*') return;
  if (header.split(',').some((one) => one.trim() === etagOf(version))) return;
  throw new Failure('changed_meanwhile', `The policy is at version ${version}, not at the one that If-Match names.`);
}

/** Runs tasks with the same key one after the other. Forgets a key when its last task is done. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    const settled = mine.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
