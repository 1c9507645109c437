/** Largest value of a Variable Byte Integer (MQTT 5 section 1.5.5). */
export const VARIABLE_BYTE_INTEGER_MAXIMUM = 268_435_455;

/** Bytes that a value takes, 1 to 4. */
export function variableByteIntegerSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

/** Writes a value in the fewest bytes [MQTT-1.5.5-1] and answers the offset behind it. */
export function writeVariableByteInteger(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let position = offset;
  while (rest >= 128) {
    bytes[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

/** Answers of `readVariableByteInteger` that are not a value. */
export const INTEGER_INCOMPLETE = -1;
export const INTEGER_TOO_LONG = -2;

/** Reads a value that starts at `offset`; its size on the wire is for the caller to work out with `encodedLength`. */
export function readVariableByteInteger(bytes: Uint8Array, offset: number, end: number): number {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    if (offset + index >= end) return INTEGER_INCOMPLETE;
    const byte = bytes[offset + index]!;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return value;
  }
  return INTEGER_TOO_LONG;
}

/** Bytes that the integer at `offset` occupies, which may be more than it needs. Only for one that is complete. */
export function encodedLength(bytes: Uint8Array, offset: number): number {
  let length = 1;
  while (bytes[offset + length - 1]! >= 0x80) length++;
  return length;
}
