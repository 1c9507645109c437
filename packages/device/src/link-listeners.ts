import type { LinkEvents, LinkListener } from './link-options.ts';

/** Who is told what happens to a connection. */
export class LinkListeners {
  readonly #of: { [T in keyof LinkEvents]: Set<LinkListener<T>> } = {
    online: new Set(),
    offline: new Set(),
    problem: new Set(),
    renewed: new Set(),
  };

  add<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void {
    this.#of[event].add(listener);
  }

  tell<T extends keyof LinkEvents>(event: T, value: LinkEvents[T]): void {
    for (const listener of this.#of[event]) listener(value);
  }
}
