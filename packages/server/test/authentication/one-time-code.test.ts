import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { oneTimeCodes } from '../../src/authentication/one-time-code.ts';

const BINDING = { principal: 'device:demo/pump/pump-7', clientId: 'd:demo:pump:pump-7', presence: 1 };

function codes(options: Partial<Parameters<typeof oneTimeCodes>[0]> = {}) {
  return oneTimeCodes({
    key: randomBytes(32),
    random: randomBytes,
    now: () => 0,
    digits: 6,
    lifetime: 1000,
    ...options,
  });
}

describe('a one-time code', () => {
  it('has as many digits as were asked for, with zeros in front', () => {
    const zero = codes({ random: (size) => new Uint8Array(size) });
    expect(zero.issue(BINDING).code).toBe('000000');
    expect(codes({ digits: 10 }).issue(BINDING).code).toMatch(/^[0-9]{10}$/);
  });

  it('is drawn again where the number would make some codes likelier than others', () => {
    const draws = [new Uint8Array(8).fill(0xff), new Uint8Array(8)];
    expect(codes({ random: () => draws.shift()! }).issue(BINDING).code).toBe('000000');
  });

  it('is right for the device and the connection for which it was made, and for no other', () => {
    const { issue, check } = codes();
    const { code, challenge } = issue(BINDING);
    expect(check(challenge, code, BINDING)).toBe('right');
    for (const other of [
      { ...BINDING, principal: 'device:demo/pump/pump-8' },
      { ...BINDING, clientId: 'another' },
      { ...BINDING, presence: 2 },
    ]) {
      expect(check(challenge, code, other)).toBe('wrong');
    }
    for (const other of ['', code.slice(1), `${code}0`, ` ${code}`])
      expect(check(challenge, other, BINDING)).toBe('wrong');
  });

  it('expires, and then says so whether it was right or not', () => {
    let now = 0;
    const { issue, check } = codes({ now: () => now });
    const { code, challenge } = issue(BINDING);
    now = 999;
    expect(check(challenge, code, BINDING)).toBe('right');
    now = 1000;
    expect(check(challenge, code, BINDING)).toBe('expired');
    expect(check(challenge, 'x', BINDING)).toBe('expired');
  });

  it('cannot be read from what is kept of it', () => {
    const { code, challenge } = codes().issue(BINDING);
    expect(JSON.stringify(challenge)).not.toContain(code);
    expect(challenge.hash).toHaveLength(32);
  });
});
