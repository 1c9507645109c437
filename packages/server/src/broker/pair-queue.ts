/** Numbers that wait in pairs, oldest first. */
export class PairQueue {
  #head = 0;
  readonly #firsts: number[] = [];
  readonly #seconds: number[] = [];

  get length(): number {
    return this.#firsts.length - this.#head;
  }
  get first(): number {
    return this.#firsts[this.#head]!;
  }
  get second(): number {
    return this.#seconds[this.#head]!;
  }

  push(first: number, second: number): void {
    this.#firsts.push(first);
    this.#seconds.push(second);
  }

  shift(): void {
    this.#head++;
    if (this.#head < 256 || this.#head * 2 < this.#firsts.length) return;
    this.#firsts.splice(0, this.#head);
    this.#seconds.splice(0, this.#head);
    this.#head = 0;
  }

  /** Puts another number in place of each second one whose first is this; answers those that stood there. */
  replace(first: number, second: number): number[] {
    const found: number[] = [];
    for (let index = this.#head; index < this.#firsts.length && this.#firsts[index]! <= first; index++) {
      if (this.#firsts[index] !== first) continue;
      found.push(this.#seconds[index]!);
      this.#seconds[index] = second;
    }
    return found;
  }
}
