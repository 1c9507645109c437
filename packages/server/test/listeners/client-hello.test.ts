import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFirstBytes } from '../../src/listeners/client-hello.ts';
import { unmapped } from '../../src/listeners/socket-address.ts';

describe('readFirstBytes', () => {
  it.each([
    ['101000044d515454', 'mqtt'],
    ['101200064d514973647003', 'mqtt'],
    ['10ff010004', 'mqtt'],
    ['10', 'mqtt'],
    ['1010000a4d515454', 'other'],
    ['474554202f20485454502f312e31', 'http'],
    ['16', 'tls'],
    ['160301', 'tls'],
    ['1605', 'other'],
    ['', 'other'],
    ['8080', 'other'],
  ])('takes %s for %s', (hex, kind) => {
    expect(readFirstBytes(Buffer.from(hex, 'hex')).kind).toBe(kind);
  });

  it('answers for any bytes, and never with a name that could confuse a log', () => {
    const start = fc.constantFrom('', '160301', '16030100ff010000fb0303');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 400 }), (hex, rest) => {
        const { serverName = 'a' } = readFirstBytes(Buffer.concat([Buffer.from(hex, 'hex'), rest]));
        expect(serverName).toMatch(/^[a-z0-9_.-]+$/);
      }),
    );
  });
});

describe('unmapped', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '::ffff:c000:201'],
    ['2001:db8::1', '2001:db8::1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('writes %s as %s', (address, written) => {
    expect(unmapped(address)).toBe(written);
  });
});
