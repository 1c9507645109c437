import { wordAt } from './words.ts';

/** Bytes before the body of a frame: its length, in four bytes, and its kind. */
export const FRAME_HEADER = 5;

/** Takes the frames out of a stream of chunks, however they are cut. */
export class FrameReader {
  readonly #largest: number;
  readonly #frame: (kind: number, bytes: Buffer, start: number, end: number) => void;
  /** Chunks of a frame that has not come whole. */
  #parts: Buffer[] = [];
  #gathered = 0;

  /** `largest`: bytes of a body. `frame` hears each frame; the bytes are good during the call. */
  constructor(largest: number, frame: (kind: number, bytes: Buffer, start: number, end: number) => void) {
    this.#largest = largest;
    this.#frame = frame;
  }

  /** Throws a RangeError if a frame is larger than it may be, and whatever the hearer throws: after either, nothing more can be read. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#gathered > 0) {
      this.#parts.push(chunk);
      this.#gathered += chunk.length;
      if (this.#gathered < FRAME_HEADER) return;
      // Only the first part can be looked at without joining them all.
      const [first = chunk] = this.#parts;
      if (first.length >= FRAME_HEADER && this.#gathered < FRAME_HEADER + this.#sizeOf(first, 0)) return;
      bytes = Buffer.concat(this.#parts, this.#gathered);
      this.#parts = [];
      this.#gathered = 0;
    }
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + this.#sizeOf(bytes, at);
      if (end > bytes.length) break;
      this.#frame(bytes[at + 4]!, bytes, at + FRAME_HEADER, end);
      at = end;
    }
    if (at === bytes.length) return;
    // In bytes of its own: the chunk may be large and what is left of it small.
    const rest = Buffer.from(bytes.subarray(at));
    this.#parts.push(rest);
    this.#gathered = rest.length;
  }

  #sizeOf(bytes: Buffer, at: number): number {
    const size = wordAt(bytes, at);
    if (size > this.#largest)
      throw new RangeError(`A frame of ${size} bytes came; at most ${this.#largest} are taken.`);
    return size;
  }
}
