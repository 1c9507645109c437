import type { Peer } from '../bus/exchange.ts';
import { wordAt } from '../bus/words.ts';

/** Kinds of frames between the brokers of one server. */
export const FRAME = {
  /** How many members a worker has for one filter. */
  interest: 1,
  /** A message for the sessions of another worker, and the number that stands for its organisation and topic from now on. */
  forward: 2,
  /** So many of the frames that have to be answered are done. */
  done: 3,
  /** One of them could not be done. */
  refused: 4,
  question: 5,
  answer: 6,
  /** Something that needs no answer. */
  word: 7,
  /** A retained message, for a worker that has just come. */
  retained: 8,
  /** A message that waits in a session that moves. */
  waiting: 9,
  /** As `forward`, with the number alone. */
  forwardAgain: 10,
} as const;

/** Reads the body of a frame. Every read is within the frame, or throws a RangeError, which ends the way to the peer. */
export class FrameBody {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;

  open(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    return this;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }
  short(): number {
    const at = this.skip(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }
  word(): number {
    return wordAt(this.bytes, this.skip(4));
  }
  /** Any number that Node can count to. */
  number(): number {
    const value = this.bytes.readDoubleBE(this.skip(8));
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('A frame counts what cannot be counted.');
    return value;
  }
  /** The same in two words. */
  words(): number {
    const at = this.skip(8);
    const value = wordAt(this.bytes, at) * 0x1_0000_0000 + wordAt(this.bytes, at + 4);
    if (!Number.isSafeInteger(value)) throw new RangeError('A frame counts what cannot be counted.');
    return value;
  }
  text(): string {
    const length = this.short();
    const at = this.skip(length);
    return this.bytes.toString('utf8', at, at + length);
  }
  /** Goes on by so many bytes; answers where they begin. */
  skip(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new RangeError('A frame ends too early.');
    this.at = at + count;
    return at;
  }
  /** Bytes of their own; a length of four bytes stands before them. */
  copy(): Buffer {
    const length = this.word();
    const at = this.skip(length);
    return Buffer.from(this.bytes.subarray(at, at + length));
  }
  /** What is left, which has to be JSON. */
  json(): unknown {
    const at = this.skip(this.end - this.at);
    return JSON.parse(this.bytes.toString('utf8', at, this.end));
  }
  /** Nothing may be left. */
  close(): void {
    if (this.at !== this.end) throw new RangeError('A frame goes on after its end.');
  }
}

/** A frame with a number and something in JSON. */
export function writeJson(peer: Peer, kind: number, id: number, content: unknown): void {
  const text = JSON.stringify(content ?? null);
  const size = Buffer.byteLength(text);
  const at = peer.begin(kind, 8 + size);
  peer.bytes.writeDoubleBE(id, at);
  peer.bytes.write(text, at + 8);
}

export function writeNumber(peer: Peer, kind: number, number: number): void {
  const at = peer.begin(kind, 8);
  peer.bytes.writeDoubleBE(number, at);
}

/** Writes a text of at most 65535 bytes with its length; answers where the next byte goes. */
export function writeText(bytes: Buffer, at: number, text: string): number {
  const length = bytes.write(text, at + 2);
  bytes.writeUInt16BE(length, at);
  return at + 2 + length;
}

/** Bytes of a text with its length. */
export function textSize(text: string): number {
  return 2 + Buffer.byteLength(text);
}
