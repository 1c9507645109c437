import { type NumericAddress, readNumericAddress } from './numeric-address.ts';

const READ: NumericAddress = { family: 4, high: 0, middle: 0, low: 0 };

/**
 * Whom an address is counted as: an IPv4 address is itself, an IPv6 address its first 64 bits, because one customer usually has
 * them all. A text that is no address is itself.
 */
export function networkOf(address: string): string {
  if (!readNumericAddress(address, READ)) return address;
  if (READ.family === 4) {
    const { low } = READ;
    return `${Math.floor(low / 0x1_00_00_00)}.${(low >>> 16) & 255}.${(low >>> 8) & 255}.${low & 255}`;
  }
  const { high, middle } = READ;
  const groups = [
    Math.floor(high / 2 ** 32),
    Math.floor(high / 2 ** 16) % 2 ** 16,
    high % 2 ** 16,
    Math.floor(middle / 2 ** 32),
  ];
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
