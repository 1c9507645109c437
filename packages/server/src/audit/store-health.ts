import type { ServerEvent } from '../events/events.ts';

/** Tells once that a store fails and once that it works again, however often it is tried between. */
export class StoreHealth {
  readonly #store: string;
  readonly #emit: (event: ServerEvent) => void;
  #failing = false;

  constructor(store: string, emit: (event: ServerEvent) => void) {
    this.#store = store;
    this.#emit = emit;
  }

  get failing(): boolean {
    return this.#failing;
  }

  failed(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    const problem = error instanceof Error ? error.message : String(error);
    this.#emit({ type: 'store.failing', store: this.#store, problem });
  }

  succeeded(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#emit({ type: 'store.recovered', store: this.#store });
  }
}
