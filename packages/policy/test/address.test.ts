import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockContains, parseAddress, parseAddressBlock } from '../src/address.ts';

function contains(block: string, address: string): boolean {
  const parsedBlock = parseAddressBlock(block);
  const parsedAddress = parseAddress(address);
  if (!parsedBlock.ok || !parsedAddress) throw new Error(`${block} ${address}`);
  return blockContains(parsedBlock.value, parsedAddress);
}

describe('addresses', () => {
  it('are read exactly where Node reads one', () => {
    const pieces = fc.array(
      fc.constantFrom('0', '1', '10', '255', '256', '00', 'f', 'fe80', 'ffff', '12345', '.', '.', ':', ':', '::'),
      { maxLength: 15 },
    );
    const texts = fc.oneof(
      pieces.map((parts) => parts.join('')),
      fc.ipV4(),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseAddress(text)?.family !== undefined, text).toBe(isIP(text) !== 0);
      }),
      { numRuns: 5000 },
    );
  });

  it('lie in a block exactly where a block list of Node says so', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), (address, base, prefix) => {
        const bits = Number(parseAddress(base)!.bits);
        const masked = prefix === 0 ? 0 : Math.floor(bits / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
        const network = [24, 16, 8, 0].map((shift) => Math.floor(masked / 2 ** shift) % 256).join('.');
        const list = new BlockList();
        list.addSubnet(network, prefix);
        expect(contains(`${network}/${prefix}`, address)).toBe(list.check(address));
      }),
    );
  });

  it('are the same in IPv4 and mapped into IPv6, and never of both families', () => {
    expect(contains('10.0.0.0/8', '::ffff:10.1.2.3')).toBe(true);
    expect(contains('::ffff:10.0.0.0/104', '10.1.2.3')).toBe(true);
    expect(contains('::/0', '10.1.2.3')).toBe(false);
    expect(contains('fd00::/8', 'fdab::1')).toBe(true);
    expect(contains('fe80::/10', 'fe80::1%eth0')).toBe(true);
    expect(contains('0.0.0.0/0', '::1')).toBe(false);
  });

  it('refuse blocks that do not say what is meant', () => {
    for (const text of [
      '10.0.0.1/8',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '::1/129',
      '::ffff:10.0.0.0/8',
      'fe80::1%eth0',
      '',
      '/8',
      '10.0.0.0/8/8',
      '10.0.0',
    ]) {
      expect(parseAddressBlock(text).ok, text).toBe(false);
    }
  });
});
