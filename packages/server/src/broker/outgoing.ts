import { Slab } from '@sallyport/mqtt';
import type { ByteStream } from './byte-stream.ts';
import type { BrokerContext } from './context.ts';
import type { Flushable } from './flusher.ts';

/** Allocated at a time for what goes out. */
const SLAB_SIZE = 16_384;
/** Beyond this, what goes out does not wait for the end of the turn. */
const FLUSH_AT = 65_536;

/** The outgoing half of a connection: packets gather in a slab, and one write per turn hands them to the stream. */
export abstract class Outgoing implements Flushable {
  slab = new Slab(SLAB_SIZE);
  dirty = false;
  protected readonly context: BrokerContext;
  protected readonly stream: ByteStream;
  protected bytesOut = 0;
  #blocked = false;
  #overflowed = false;
  #held = false;

  constructor(context: BrokerContext, stream: ByteStream) {
    this.context = context;
    this.stream = stream;
  }

  /** Called once, between deliveries, when more waits for the peer than is borne. */
  protected abstract overflowed(): void;

  get congested(): boolean {
    if (!this.#blocked) return this.#overflowed;
    return this.slab.length + this.stream.bufferedBytes > this.context.limits.outgoingBytes;
  }

  touch(): void {
    this.context.flusher.touch(this);
    if (this.slab.length > FLUSH_AT) this.flush();
    if (this.#blocked && !this.#overflowed) this.#checkOverflow();
  }

  flush(): void {
    if (this.#blocked || this.#held || this.slab.length === 0) return;
    const bytes = this.slab.take();
    this.context.counters.bytesSent += bytes.length;
    this.bytesOut += bytes.length;
    this.#blocked = !this.stream.write(bytes);
  }

  /** Writes nothing more until {@link letGo}. */
  protected holdBack(): void {
    this.#held = true;
  }

  protected letGo(): void {
    this.#held = false;
    this.flush();
  }

  /** Writes out everything, whether the peer is slow or not. */
  protected flushLast(): void {
    this.#held = false;
    this.#blocked = false;
    this.flush();
  }

  protected unblock(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Gives the buffer back: an idle connection holds none. */
  protected shrink(): void {
    if (this.slab.length === 0 && this.slab.bytes.length > 0) this.slab = new Slab(SLAB_SIZE);
  }

  #checkOverflow(): void {
    if (this.slab.length + this.stream.bufferedBytes <= this.context.limits.outgoingBytesHard) return;
    this.#overflowed = true;
    // Not in the midst of a delivery, as ending a connection may send a will.
    this.context.flusher.later(() => this.overflowed());
  }
}
