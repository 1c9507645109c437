/** One element of DER (ITU-T X.690): tag, minimal length, content. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const content of contents) length += content.length;
  const head = headOf(tag, length);
  const whole = new Uint8Array(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const content of contents) {
    whole.set(content, at);
    at += content.length;
  }
  return whole;
}

/** Tag and length alone, for content that is written elsewhere. */
export function headOf(tag: number, length: number): readonly number[] {
  if (length < 0x80) return [tag, length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [tag, 0x80 + bytes.length, ...bytes];
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return element(0x30, ...contents);
}

export function octetString(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return element(0x04, content);
}

/** With no unused bits. */
export function bitString(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return element(0x03, Uint8Array.of(0), content);
}

export function enumerated(value: number): Uint8Array<ArrayBuffer> {
  return element(0x0a, Uint8Array.of(value));
}

export const NULL = element(0x05);

/** A context-specific constructed tag around what is given. */
export function explicit(number: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return element(0xa0 + number, ...contents);
}

/** A non-negative integer from big-endian bytes, in minimal form: no needless zero in front, and one where the sign bit would be set. */
export function integer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return element(0x02, minimal(bytes));
}

/** The content of {@link integer}. */
export function minimal(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
  const short = bytes.subarray(from);
  if (short.length > 0 && (short[0] ?? 0) < 0x80) return short;
  const signed = new Uint8Array(short.length + 1);
  signed.set(short, 1);
  return signed;
}

/** A non-negative integer that JavaScript holds exactly. */
export function smallInteger(value: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return integer(Uint8Array.from(bytes.length === 0 ? [0] : bytes));
}

/** From the dotted form. */
export function objectIdentifier(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift(0x80 + (left % 128));
    content.push(...septets);
  }
  return element(0x06, Uint8Array.from(content));
}

const YEAR_2050 = Date.UTC(2050, 0, 1);

/** RFC 5280 section 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on, both to the second. */
export function time(milliseconds: number): Uint8Array<ArrayBuffer> {
  if (milliseconds >= YEAR_2050) return generalizedTime(milliseconds);
  return element(0x17, ascii(digitsOf(milliseconds).slice(2)));
}

export function generalizedTime(milliseconds: number): Uint8Array<ArrayBuffer> {
  return element(0x18, ascii(digitsOf(milliseconds)));
}

function digitsOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Bytes of a text of hexadecimal digits, an even number of them. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
