/** Called for each whole packet: its first byte and where its body lies. */
export type FrameListener = (header: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Cuts a byte stream into packets and checks nothing else: the generator must be cheaper than the servers it drives.
 */
export class Frames {
  #rest: Buffer | undefined;
  readonly #listener: FrameListener;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      let length = 0;
      let scale = 1;
      let body = at + 1;
      for (;;) {
        if (body >= bytes.length) {
          this.#keep(bytes, at);
          return;
        }
        const digit = bytes[body++] ?? 0;
        length += (digit & 0x7f) * scale;
        if (digit < 0x80) break;
        scale *= 128;
      }
      if (body + length > bytes.length) {
        this.#keep(bytes, at);
        return;
      }
      this.#listener(bytes[at] ?? 0, bytes, body, body + length);
      at = body + length;
    }
  }

  #keep(bytes: Buffer, from: number): void {
    // A copy, because the buffer of the socket is used again for the next read.
    this.#rest = Buffer.from(bytes.subarray(from));
  }
}
