/** Something with bytes to hand to the system. */
export interface Flushable {
  /** True while it waits for its flush: it is listed once. */
  dirty: boolean;
  flush(): void;
}

/** Writes each touched connection once per turn of the event loop: the system calls are what costs. */
export class Flusher {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #tasks: (() => void)[] = [];
  #scheduled = false;
  readonly #run = (): void => this.#turn();
  readonly #failed: (error: unknown) => void;

  /** `failed` hears what a task or a flush throws; the others go on. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  touch(item: Flushable): void {
    if (item.dirty) return;
    item.dirty = true;
    this.#dirty.push(item);
    this.#schedule();
  }

  /** Runs a task before the next flush: what must not happen in the midst of a delivery. */
  later(task: () => void): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  #turn(): void {
    const tasks = this.#tasks;
    if (tasks.length > 0) this.#tasks = [];
    for (const task of tasks) this.#attempt(task);

    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    this.#scheduled = false;
    for (let index = 0; index < dirty.length; index++) {
      const item = dirty[index]!;
      item.dirty = false;
      try {
        item.flush();
      } catch (error) {
        this.#failed(error);
      }
    }
    dirty.length = 0;
    this.#spare = dirty;
    if (this.#dirty.length > 0 || this.#tasks.length > 0) this.#schedule();
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#failed(error);
    }
  }
}
