import { decode, encode } from 'cborg';

/** Deeper than any document of ours; a stranger must not be able to exhaust the stack. */
const DEEPEST = 8;

/** Writes CBOR in its deterministic form: shortest lengths, sorted keys (RFC 8949 section 4.2). Maps are `Map`s. */
export function encodeCbor(value: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(encode(value));
}

/**
 * Reads one CBOR item strictly: no duplicate keys, no indefinite or overlong lengths, no tags, no floats that are no numbers, at most
 * 8 levels deep, nothing behind it. Maps become `Map`s. Undefined for everything else.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  if (!isShallow(bytes)) return undefined;
  try {
    return decode(bytes, {
      strict: true,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
    });
  } catch {
    return undefined;
  }
}

/** Walks the heads only, without recursion: arrays and maps may not nest deeper than the bound. */
function isShallow(bytes: Uint8Array): boolean {
  /** How many items each open array or map still waits for. */
  const open: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = bytes[at] ?? 0;
    const major = head >> 5;
    const additional = head & 0x1f;
    const width = additional < 24 ? 0 : 2 ** (additional - 24);
    if (additional > 27) return false;
    let count = additional;
    if (width > 0) {
      count = 0;
      for (let i = 1; i <= width; i++) count = count * 256 + (bytes[at + i] ?? 0);
    }
    at += 1 + width;
    if (major === 2 || major === 3) at += count;
    if (major === 6) return false;
    if (open.length > 0) open.push((open.pop() ?? 1) - 1);
    if (major === 4 || major === 5) open.push(major === 4 ? count : count * 2);
    while (open.at(-1) === 0) open.pop();
    if (open.length > DEEPEST) return false;
  }
  return true;
}
