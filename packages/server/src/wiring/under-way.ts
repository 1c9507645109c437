/** Work that goes on behind a change, so that the change can be reported as done when it is. */
export class UnderWay {
  readonly #work = new Set<Promise<void>>();

  /** Work that never rejects. */
  add(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  /** Resolves when all that was under way is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#work);
  }
}
