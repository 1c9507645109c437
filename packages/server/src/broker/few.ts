/** A set that mostly holds one thing or none: only for more does it make a set. In the order in which they came. */
export class Few<T extends object> {
  #only: T | undefined;
  #all: Set<T> | undefined;

  get size(): number {
    return this.#all?.size ?? (this.#only === undefined ? 0 : 1);
  }

  add(thing: T): void {
    if (this.#all !== undefined) this.#all.add(thing);
    else if (this.#only === undefined) this.#only = thing;
    else if (this.#only !== thing) {
      this.#all = new Set([this.#only, thing]);
      this.#only = undefined;
    }
  }

  delete(thing: T): void {
    if (this.#only === thing) this.#only = undefined;
    if (this.#all?.delete(thing) === true && this.#all.size === 0) this.#all = undefined;
  }

  [Symbol.iterator](): Iterator<T> {
    const things = this.#all ?? (this.#only === undefined ? [] : [this.#only]);
    return things[Symbol.iterator]();
  }
}
