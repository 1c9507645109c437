import { isUtf8 as nativeIsUtf8 } from 'node:buffer';

/** What is wrong with the bytes of a UTF-8 Encoded String: nothing, ill-formed, or U+0000 within. */
export const UTF8_FINE = 0;
export const UTF8_ILL_FORMED = 1;
export const UTF8_NULL = 2;

/**
 * Whether bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF). U+0000 is
 * fine here, as it is in a payload that is declared to be text (MQTT 5 section 3.3.2.3.2).
 */
export function isUtf8(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  // Below this length the call into native code costs more than the loop.
  if (end - start > 128) return nativeIsUtf8(bytes.subarray(start, end));
  for (let index = start; index < end; index++) {
    if (bytes[index]! >= 0x80) return isWellFormed(bytes, index, end);
  }
  return true;
}

/** Checks the form of a UTF-8 Encoded String [MQTT-1.5.4-1] [MQTT-1.5.4-2]; answers one of the constants above. */
export function checkUtf8String(bytes: Uint8Array, start: number, end: number): number {
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === 0) return UTF8_NULL;
    if (byte >= 0x80) {
      if (!isWellFormed(bytes, index, end)) return UTF8_ILL_FORMED;
      return bytes.subarray(index, end).includes(0) ? UTF8_NULL : UTF8_FINE;
    }
  }
  return UTF8_FINE;
}

function isWellFormed(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  while (index < end) {
    const lead = bytes[index]!;
    if (lead < 0x80) {
      index += 1;
      continue;
    }
    // The second byte's range shuts out overlong forms, surrogates and code points above U+10FFFF (RFC 3629 section 4).
    let following: number;
    let lowest = 0x80;
    let highest = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) following = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      following = 2;
      if (lead === 0xe0) lowest = 0xa0;
      else if (lead === 0xed) highest = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      following = 3;
      if (lead === 0xf0) lowest = 0x90;
      else if (lead === 0xf4) highest = 0x8f;
    } else return false;
    if (index + following >= end) return false;
    const second = bytes[index + 1]!;
    if (second < lowest || second > highest) return false;
    for (let offset = 2; offset <= following; offset++) {
      if ((bytes[index + offset]! & 0xc0) !== 0x80) return false;
    }
    index += following + 1;
  }
  return true;
}
