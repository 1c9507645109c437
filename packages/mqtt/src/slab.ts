/** Bytes: a greeting and a goodbye fit. */
const SMALLEST = 256;
const POOLED = 2048;
const NOTHING = Buffer.alloc(0);

/**
 * Outgoing bytes of one connection, gathered so that a turn of the event loop ends in one write. Bytes that were handed
 * out are never written again.
 */
export class Slab {
  /** Changes when room runs out: read it after `reserve`, not before. */
  bytes: Buffer;
  readonly #size: number;
  /** What is allocated next: little for a connection that says little. */
  #next = SMALLEST;
  #start = 0;
  #end = 0;

  /** `size` in bytes is what is allocated at a time by a busy connection; a larger packet gets more. */
  constructor(size: number) {
    this.#size = size;
    this.bytes = NOTHING;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Makes room for `count` bytes and answers their offset in `bytes`, good until the next `reserve`. Fill all of it. */
  reserve(count: number): number {
    const offset = this.#end;
    if (offset + count > this.bytes.length) return this.#renew(count);
    this.#end = offset + count;
    return offset;
  }

  /** Appends a copy and answers its offset. */
  append(source: Uint8Array, start: number, end: number): number {
    const offset = this.reserve(end - start);
    copyBytes(this.bytes, offset, source, start, end);
    return offset;
  }

  /** Hands out what was written. */
  take(): Buffer {
    const taken = this.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }

  /** Writes over what was handed out: nobody will read it any more. Not while anything waits. */
  rewind(): void {
    if (this.#start !== this.#end || this.bytes.length > this.#size) return;
    this.#start = 0;
    this.#end = 0;
  }

  #renew(count: number): number {
    const waiting = this.length;
    // Doubling while nothing is taken keeps the copies of a slow connection linear.
    const size = Math.max(this.#next, waiting + count, waiting === 0 ? 0 : 2 * waiting);
    // Small ones come out of a pool: a memory area of its own costs more than what is written into it.
    const fresh = size <= POOLED ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    this.#next = Math.min(this.#size, 8 * size);
    this.bytes.copy(fresh, 0, this.#start, this.#end);
    this.bytes = fresh;
    this.#start = 0;
    this.#end = waiting + count;
    return waiting;
  }
}

/** Up to these lengths a loop beats the call into native code; a part must pay for a view, so its loop may be longer. */
const LOOP_FOR_WHOLE = 16;
const LOOP_FOR_PART = 40;

/** Copies bytes between two offsets of the source. */
export function copyBytes(target: Uint8Array, offset: number, source: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const isWhole = length === source.length;
  if (length > (isWhole ? LOOP_FOR_WHOLE : LOOP_FOR_PART)) {
    // Not `subarray`: on a Buffer it costs a third more than the constructor.
    target.set(isWhole ? source : new Uint8Array(source.buffer, source.byteOffset + start, length), offset);
    return;
  }
  for (let index = 0; index < length; index++) target[offset + index] = source[start + index]!;
}
