/** An address as three whole numbers, so that it can be compared without making an object: of IPv4 only `low` counts. */
export interface NumericAddress {
  family: 4 | 6;
  /** The first 48 bits of an IPv6 address. */
  high: number;
  /** The next 48 bits. */
  middle: number;
  /** The last 32 bits, or the whole IPv4 address. */
  low: number;
}

const COLON = 0x3a;
const DOT = 0x2e;
const PERCENT = 0x25;
const LONGEST = 45;
const GROUPS = new Float64Array(8);

/**
 * Reads an address into `into` and says whether it was one; agrees with `parseAddress`. IPv4 written inside IPv6
 * (`::ffff:10.0.0.1`) is IPv4, a zone (`fe80::1%eth0`) is left out.
 */
export function readNumericAddress(text: string, into: NumericAddress): boolean {
  let end = text.length;
  let colons = false;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) colons = true;
    else if (code === PERCENT) end = at;
  }
  if (!colons) {
    const value = readIpv4(text, 0, end);
    if (value < 0) return false;
    into.family = 4;
    into.high = 0;
    into.middle = 0;
    into.low = value;
    return true;
  }
  return end <= LONGEST && readIpv6(text, end, into);
}

/** -1 if it is none. A leading zero is octal to some readers and decimal to others, so it is none. */
function readIpv4(text: string, start: number, end: number): number {
  let value = 0;
  let part = -1;
  let digits = 0;
  let parts = 0;
  for (let at = start; at <= end; at++) {
    const code = at === end ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0) return -1;
      value = value * 256 + part;
      parts++;
      part = -1;
      digits = 0;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || (digits > 0 && part === 0)) return -1;
    part = digits === 0 ? digit : part * 10 + digit;
    digits++;
    if (digits > 3 || part > 255) return -1;
  }
  return parts === 4 ? value : -1;
}

function readIpv6(text: string, end: number, into: NumericAddress): boolean {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    if (count === 8) return false;
    let value = 0;
    let next = at;
    for (; next < end; next++) {
      const digit = hexadecimal(text.charCodeAt(next));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    const ending = next === end ? -1 : text.charCodeAt(next);
    if (ending === DOT) {
      const tail = count <= 6 ? readIpv4(text, at, end) : -1;
      if (tail < 0) return false;
      GROUPS[count++] = Math.floor(tail / 65_536);
      GROUPS[count++] = tail % 65_536;
      break;
    }
    if (next === at || next - at > 4 || (ending !== -1 && ending !== COLON)) return false;
    GROUPS[count++] = value;
    if (ending === -1) break;
    at = next + 1;
    if (at < end && text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    } else if (at === end) return false;
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  if (gap >= 0) {
    const moved = count - gap;
    for (let index = 1; index <= moved; index++) GROUPS[8 - index] = GROUPS[count - index] ?? 0;
    for (let index = gap; index < 8 - moved; index++) GROUPS[index] = 0;
  }
  settle(into);
  return true;
}

function settle(into: NumericAddress): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = GROUPS;
  const high = (a * 65_536 + b) * 65_536 + c;
  const middle = (d * 65_536 + e) * 65_536 + f;
  const low = g * 65_536 + h;
  const mapped = high === 0 && middle === 0xffff;
  into.family = mapped ? 4 : 6;
  into.high = high;
  into.middle = mapped ? 0 : middle;
  into.low = low;
}

function hexadecimal(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
