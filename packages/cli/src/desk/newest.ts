/** The newest of many things, newest first; older ones are forgotten. */
export class Newest<T> {
  readonly #bound: number;
  #items: readonly T[] = [];

  constructor(bound: number) {
    this.#bound = bound;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items = [item, ...this.#items.slice(0, this.#bound - 1)];
  }

  replace(old: T, by: T): void {
    this.#items = this.#items.map((item) => (item === old ? by : item));
  }
}
