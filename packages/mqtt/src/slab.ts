/**
 * Outgoing bytes of one connection, gathered so that a turn of the event loop ends in one write. Bytes that were handed
 * out are never written again.
 */
export class Slab {
  /** Changes when room runs out: read it after `reserve`, not before. */
  bytes: Buffer;
  readonly #size: number;
  #start = 0;
  #end = 0;

  /** `size` in bytes is what is allocated at a time; a larger packet gets more. */
  constructor(size: number) {
    this.#size = size;
    this.bytes = Buffer.allocUnsafe(0);
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

  #renew(count: number): number {
    const waiting = this.length;
    // Doubling while nothing is taken keeps the copies of a slow connection linear.
    const fresh = Buffer.allocUnsafeSlow(Math.max(this.#size, waiting + count, waiting === 0 ? 0 : 2 * waiting));
    this.bytes.copy(fresh, 0, this.#start, this.#end);
    this.bytes = fresh;
    this.#start = 0;
    this.#end = waiting + count;
    return waiting;
  }
}

/** Copies bytes; for the sizes of topics and small payloads a loop is faster than the call into native code. */
export function copyBytes(target: Uint8Array, offset: number, source: Uint8Array, start: number, end: number): void {
  const length = end - start;
  if (length > 48) {
    target.set(start === 0 && end === source.length ? source : source.subarray(start, end), offset);
    return;
  }
  for (let index = 0; index < length; index++) target[offset + index] = source[start + index]!;
}
