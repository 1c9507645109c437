import { describe, expect, it } from 'vitest';
import { connectRateGate, networkOf } from '../../src/listeners/connect-rate.ts';

describe('the rate of connections', () => {
  it('lets a burst of an address in, then one per turn, and no other address pays for it', () => {
    let time = 0;
    const met = connectRateGate({ connectRatePerAddress: 5, now: () => time });
    const tries = (address: string, count: number) =>
      Array.from({ length: count }, () => met(address)).filter((answer) => answer === undefined).length;
    expect(tries('192.0.2.1', 100)).toBe(20);
    expect(tries('192.0.2.2', 100)).toBe(20);
    time = 1000;
    expect(tries('192.0.2.1', 100)).toBe(5);
    time = 1_000_000;
    expect(tries('192.0.2.1', 100)).toBe(20);
  });

  it('takes a network of IPv6 for one address', () => {
    const met = connectRateGate({ connectRatePerAddress: 1, now: () => 0 });
    const answers = Array.from({ length: 10 }, (_, index) => met(`2001:db8::${index.toString(16)}`));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(4);
    expect(met('2001:db8:0:1::1')).toBeUndefined();
  });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('counts %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('holds all addresses together to the rate of the listener', () => {
    const met = connectRateGate({ connectRate: 3, now: () => 0 });
    const answers = Array.from({ length: 10 }, (_, index) => met(`192.0.2.${index}`));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(6);
    expect(answers.at(-1)).toBe('listener');
  });

  it('counts nothing where there is no bound', () => {
    const met = connectRateGate({ connectRate: Number.POSITIVE_INFINITY, now: () => 0 });
    expect(met('192.0.2.1')).toBeUndefined();
  });
});
