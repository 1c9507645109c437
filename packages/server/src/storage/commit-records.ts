/** Values that a statement takes. */
export type RecordValue = number | string | Buffer | null;

const NULL = 0;
const NUMBER = 1;
const TEXT = 2;
const BYTES = 3;
/** Stands where the number of a statement would, in a record that was taken back. */
const TAKEN_BACK = 255;
/** Bytes of a buffer that was not grown. */
export const FIRST_SIZE = 65_536;

/**
 * Records of what a database is to do, one behind the other in one buffer: number of the statement, whether it puts (needs room), number
 * of values, values. They travel to another thread without being copied.
 */
export class CommitRecords {
  length = 0;
  #bytes: Buffer;

  /** `memory`: of an earlier batch, to be used again. */
  constructor(memory = new ArrayBuffer(FIRST_SIZE)) {
    this.#bytes = Buffer.from(memory);
  }

  /** What it stands on; handing it to another thread ends the use of this object. */
  get memory(): ArrayBuffer {
    return this.#bytes.buffer as ArrayBuffer;
  }

  /** Begins a record; `count` values have to follow. */
  begin(statement: number, puts: boolean, count: number): void {
    this.#reserve(3);
    const bytes = this.#bytes;
    bytes[this.length++] = statement;
    bytes[this.length++] = puts ? 1 : 0;
    bytes[this.length++] = count;
  }

  /** Takes back the record that begins at an offset. */
  takeBack(offset: number): void {
    this.#bytes[offset] = TAKEN_BACK;
  }

  number(value: number): void {
    this.#reserve(9);
    this.#bytes[this.length] = NUMBER;
    this.#bytes.writeDoubleLE(value, this.length + 1);
    this.length += 9;
  }

  text(value: string): void {
    // No string has more bytes than three for each of its units.
    this.#reserve(5 + value.length * 3);
    const size = this.#bytes.write(value, this.length + 5);
    this.#head(TEXT, size);
  }

  bytes(value: Buffer): void {
    this.#reserve(5 + value.length);
    value.copy(this.#bytes, this.length + 5);
    this.#head(BYTES, value.length);
  }

  nothing(): void {
    this.#reserve(1);
    this.#bytes[this.length++] = NULL;
  }

  #head(kind: number, size: number): void {
    this.#bytes[this.length] = kind;
    this.#bytes.writeUInt32LE(size, this.length + 1);
    this.length += 5 + size;
  }

  #reserve(size: number): void {
    if (this.length + size <= this.#bytes.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.#bytes.length * 2, this.length + size)));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }
}

/** Shows each record of a buffer. Bytes are views: whoever keeps them copies them. */
export function readRecords(
  memory: ArrayBuffer,
  length: number,
  visit: (statement: number, puts: boolean, values: RecordValue[]) => void,
): void {
  const bytes = Buffer.from(memory);
  let at = 0;
  while (at < length) {
    const statement = bytes[at]!;
    const puts = bytes[at + 1] === 1;
    const count = bytes[at + 2]!;
    const values = new Array<RecordValue>(count);
    at += 3;
    for (let index = 0; index < count; index++) {
      const kind = bytes[at++];
      if (kind === NUMBER) {
        values[index] = bytes.readDoubleLE(at);
        at += 8;
      } else if (kind === NULL) values[index] = null;
      else {
        const end = at + 4 + bytes.readUInt32LE(at);
        values[index] = kind === TEXT ? bytes.toString('utf8', at + 4, end) : bytes.subarray(at + 4, end);
        at = end;
      }
    }
    if (statement !== TAKEN_BACK) visit(statement, puts, values);
  }
}
