import { DEFAULT_BOUNDS, type Exchange, type ExchangeBounds, type ExchangeListener, MOST_WORKERS } from './exchange.ts';
import { FrameReader } from './frame-reader.ts';
import { GatheringPeer } from './gathering-peer.ts';

const DEAF: ExchangeListener = { joined() {}, frame() {}, pause() {}, left() {} };

/** The carrier of bytes to one peer. */
export interface Carrier {
  write(bytes: Buffer): boolean;
  unsent(): number;
  /** Lets what was written go out, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

interface Way {
  readonly peer: GatheringPeer;
  readonly reader: FrameReader;
  readonly carrier: Carrier;
}

/** What the implementations of the exchange have in common: peers by number, frames of a turn in one write, a clean end of each. */
export abstract class Peers implements Exchange {
  readonly self: number;
  protected readonly bounds: ExchangeBounds;
  readonly #ways = new Map<number, Way>();
  #listener = DEAF;
  #ready: GatheringPeer[] = [];
  #scheduled = false;

  /** `self` below {@link MOST_WORKERS}. */
  constructor(self: number, bounds: Partial<ExchangeBounds> = {}) {
    if (!Number.isInteger(self) || self < 0 || self >= MOST_WORKERS) throw new RangeError(`${self} is no worker`);
    this.self = self;
    this.bounds = { ...DEFAULT_BOUNDS, ...bounds };
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
  }

  drop(number: number, why: string): void {
    this.#end(number, why, true);
  }

  #end(number: number, why: string, dropped: boolean): void {
    const way = this.#ways.get(number);
    if (way === undefined) return;
    this.#ways.delete(number);
    way.peer.end();
    way.carrier.destroy();
    // Whoever drops a peer may be in the midst of writing to it.
    setImmediate(() => this.#listener.left(way.peer, why, dropped));
  }

  async close(): Promise<void> {
    this.#flush();
    for (const { carrier } of this.#ways.values()) carrier.end();
    for (const { peer } of this.#ways.values()) peer.end();
    this.#ways.clear();
  }

  /** Opens the way to a peer. */
  protected open(number: number, carrier: Carrier): void {
    if (number === this.self || !Number.isInteger(number) || number < 0 || number >= MOST_WORKERS) {
      throw new RangeError(`${number} is no peer of ${this.self}`);
    }
    if (this.#ways.has(number)) throw new RangeError(`${number} is a peer already`);
    const peer = new GatheringPeer(number, this.bounds, {
      ready: (one) => {
        this.#ready.push(one);
        this.#schedule();
      },
      write: (bytes) => carrier.write(bytes),
      unsent: () => carrier.unsent(),
      overflowed: () => this.drop(number, `It does not read: more than ${this.bounds.unsent} bytes wait for it.`),
    });
    const reader = new FrameReader(this.bounds.largestFrame, (kind, bytes, start, end) => {
      if (!peer.gone) this.#listener.frame(peer, kind, bytes, start, end);
    });
    this.#ways.set(number, { peer, reader, carrier });
    this.#listener.joined(peer);
  }

  /** Bytes came from a peer. */
  protected heard(number: number, carrier: Carrier, chunk: Buffer): void {
    const way = this.#ways.get(number);
    if (way?.carrier !== carrier) return;
    try {
      way.reader.push(chunk);
      if (!way.peer.gone) this.#listener.pause(way.peer);
    } catch (error) {
      this.drop(number, `What it sent could not be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** A peer takes bytes again. */
  protected drained(number: number, carrier: Carrier): void {
    const way = this.#ways.get(number);
    if (way?.carrier === carrier) way.peer.unblock();
  }

  /** The way to a peer has ended. */
  protected ended(number: number, carrier: Carrier, why: string): void {
    if (this.#ways.get(number)?.carrier === carrier) this.#end(number, why, false);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const ready = this.#ready;
    this.#ready = [];
    for (const peer of ready) peer.flush();
  }
}
