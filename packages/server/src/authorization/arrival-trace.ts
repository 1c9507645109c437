import type { TraceStep } from '@sallyport/model';

/** The steps that a session has passed when it opened: the beginning of the trace of each later refusal. */
export class ArrivalTrace {
  #steps: readonly TraceStep[] | undefined;
  #packed = '';

  /** Steps may still be added until the first {@link rest}. */
  constructor(steps: readonly TraceStep[]) {
    this.#steps = steps;
  }

  get steps(): readonly TraceStep[] {
    return this.#steps ?? (JSON.parse(this.#packed) as TraceStep[]);
  }

  /** Keeps one text in place of dozens of small objects: most sessions are never refused anything. */
  rest(): void {
    if (this.#steps === undefined) return;
    this.#packed = JSON.stringify(this.#steps);
    this.#steps = undefined;
  }
}
