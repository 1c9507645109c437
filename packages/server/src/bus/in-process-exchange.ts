import type { ExchangeBounds } from './exchange.ts';
import { type Carrier, Peers } from './peers.ts';

/** The exchange between brokers in one process: bytes go from hand to hand, in a later turn of the event loop as between processes. */
export class InProcessExchange extends Peers {
  /** True: nothing that comes is read, as if the process stood still. */
  stalled = false;
  readonly #held: (() => void)[] = [];

  /** `self`: number of this worker. */
  constructor(self: number, bounds?: Partial<ExchangeBounds>) {
    super(self, bounds);
  }

  /** Connects this one and another with each other. */
  connect(other: InProcessExchange): void {
    const ends = { here: true, there: true };
    const here = this.#carrier(other, () => there, ends);
    const there: Carrier = other.#carrier(this, () => here, ends);
    this.open(other.self, here);
    other.open(this.self, there);
  }

  /** Reads again. */
  recover(): void {
    this.stalled = false;
    for (const read of this.#held.splice(0)) read();
  }

  #carrier(other: InProcessExchange, theirs: () => Carrier, ends: { here: boolean; there: boolean }): Carrier {
    let unsent = 0;
    const carrier: Carrier = {
      write: (bytes) => {
        const copy = Buffer.from(bytes);
        unsent += copy.length;
        const read = (): void => {
          unsent -= copy.length;
          other.heard(this.self, theirs(), copy);
          if (unsent === 0) this.drained(other.self, carrier);
        };
        setImmediate(() => {
          if (other.stalled) other.#held.push(read);
          else read();
        });
        return !other.stalled;
      },
      unsent: () => unsent,
      end: () => setImmediate(() => setImmediate(() => this.#hangUp(other, theirs, ends))),
      destroy: () => setImmediate(() => this.#hangUp(other, theirs, ends)),
    };
    return carrier;
  }

  #hangUp(other: InProcessExchange, theirs: () => Carrier, ends: { here: boolean; there: boolean }): void {
    if (!ends.here) return;
    ends.here = false;
    other.ended(this.self, theirs(), 'Its process has ended.');
  }
}
