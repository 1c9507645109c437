import { Slab } from '@sallyport/mqtt';
import type { ExchangeBounds, Peer } from './exchange.ts';
import { FRAME_HEADER } from './frame-reader.ts';
import { writeWord } from './words.ts';

const SLAB_SIZE = 65_536;

/** Where a peer hands over the bytes of a turn, and says what it needs. */
export interface PeerRoads {
  /** A first frame waits: {@link GatheringPeer.flush} is to be called at the end of the turn. */
  ready(peer: GatheringPeer): void;
  /** Hands bytes to the peer; false if they wait there and no more should come until {@link GatheringPeer.unblock}. They stay as they are while any are unsent. */
  write(bytes: Buffer): boolean;
  /** Bytes that were written and have not left. */
  unsent(): number;
  /** More waits than is borne. Not in the midst of a frame. */
  overflowed(): void;
}

/** Gathers frames to one peer in a slab, so that a turn of the event loop ends in one write. */
export class GatheringPeer implements Peer {
  readonly number: number;
  /** True once the peer is gone: what is begun goes nowhere. */
  gone = false;
  readonly #bounds: ExchangeBounds;
  readonly #roads: PeerRoads;
  #slab = new Slab(SLAB_SIZE);
  #listed = false;
  #blocked = false;
  #relief: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(number: number, bounds: ExchangeBounds, roads: PeerRoads) {
    this.number = number;
    this.#bounds = bounds;
    this.#roads = roads;
  }

  get bytes(): Buffer {
    return this.#slab.bytes;
  }

  get congested(): boolean {
    return !this.gone && this.#waiting > this.#bounds.congested;
  }

  begin(kind: number, size: number): number {
    if (this.gone) this.#slab = new Slab(0);
    const at = this.#slab.reserve(FRAME_HEADER + size);
    const { bytes } = this.#slab;
    writeWord(bytes, at, size);
    bytes[at + 4] = kind;
    if (!this.#listed && !this.gone) {
      this.#listed = true;
      this.#roads.ready(this);
    }
    return at + FRAME_HEADER;
  }

  relieved(): Promise<void> {
    if (!this.congested) return Promise.resolve();
    if (this.#relief === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#relief = { promise, resolve };
    }
    return this.#relief.promise;
  }

  /** Writes what was gathered, if the peer takes it. */
  flush(): void {
    this.#listed = false;
    if (this.gone) return;
    if (!this.#blocked && this.#slab.length > 0) {
      this.#blocked = !this.#roads.write(this.#slab.take());
      if (this.#roads.unsent() === 0) this.#slab.rewind();
    }
    if (this.#waiting > this.#bounds.unsent) this.#roads.overflowed();
    this.#relieve();
  }

  /** The peer takes bytes again. */
  unblock(): void {
    this.#blocked = false;
    this.flush();
  }

  /** The peer is gone: nobody waits for it any more. */
  end(): void {
    this.gone = true;
    this.#slab = new Slab(0);
    this.#relieve();
  }

  get #waiting(): number {
    return this.#slab.length + this.#roads.unsent();
  }

  #relieve(): void {
    if (this.#relief === undefined || this.congested) return;
    this.#relief.resolve();
    this.#relief = undefined;
  }
}
