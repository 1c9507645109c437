import type { Failure } from '@sallyport/model';

/** Lets nothing pass while it is shut, and nothing ever again once it is barred. */
export class Gate {
  /** Grows whenever the gate is shut: what passed before may have come too late. */
  shuts = 0;
  #open = true;
  #barred: Failure | undefined;
  #waiting: (() => void)[] = [];

  shut(): void {
    this.#open = false;
    this.shuts++;
  }

  open(): void {
    this.#open = true;
    this.#wake();
  }

  /** Everybody who waits, and everybody who comes, is told why. */
  bar(failure: Failure): void {
    this.#barred = failure;
    this.#wake();
  }

  async passed(): Promise<void> {
    while (!this.#open && this.#barred === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#barred !== undefined && !this.#open) throw this.#barred;
  }

  #wake(): void {
    for (const waiting of this.#waiting.splice(0)) waiting();
  }
}
