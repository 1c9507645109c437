import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from '../../src/listeners/proxy-header.ts';
import { unmapped } from '../../src/listeners/socket-address.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const port = fc.nat(65_535);

function v2(command: number, family: number, body: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(body.length);
  return Buffer.concat([SIGNATURE, Buffer.of(command, family), size, body]);
}
function ports(source: number, destination: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(source);
  bytes.writeUInt16BE(destination, 2);
  return bytes;
}
const v1Header = fc
  .tuple(fc.constantFrom('TCP4', 'TCP6'), fc.ipV4(), fc.ipV6(), port)
  .map(([family, four, six, source]) => {
    const address = family === 'TCP4' ? four : six;
    return {
      bytes: Buffer.from(`PROXY ${family} ${address} ${address} ${source} 8883\r\n`),
      address: unmapped(address),
      port: source,
    };
  });
const v2Header = fc
  .tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), port, fc.uint8Array({ maxLength: 200 }))
  .map(([address, source, more]) => ({
    bytes: v2(0x21, 0x11, Buffer.concat([address, Buffer.from([10, 0, 0, 1]), ports(source, 8883), more])),
    address: [...address].join('.'),
    port: source,
  }));

describe('the reader of PROXY headers', () => {
  it('finds address and port in any correct header, however it is cut, and takes nothing of what follows', () => {
    fc.assert(
      fc.property(fc.oneof(v1Header, v2Header), fc.uint8Array({ maxLength: 40 }), ({ bytes, address, port }, rest) => {
        for (let cut = 0; cut < bytes.length; cut++) {
          expect(readProxyHeader(bytes.subarray(0, cut))).toEqual({ outcome: 'incomplete' });
        }
        const read = readProxyHeader(Buffer.concat([bytes, rest]));
        expect(read).toEqual({ outcome: 'read', length: bytes.length, source: { address, port } });
      }),
    );
  });

  it('answers any bytes, and never asks for more than 2 KiB', () => {
    const tail = fc.uint8Array({ minLength: 0, maxLength: 3000 });
    const head = fc.constantFrom(
      Buffer.alloc(0),
      SIGNATURE,
      Buffer.from('PROXY '),
      Buffer.from('PROXY TCP4 '),
      v2(0x21, 0x11, Buffer.alloc(0)),
    );
    fc.assert(
      fc.property(head, tail, (begin, end) => {
        const bytes = Buffer.concat([begin, end]);
        const { outcome } = readProxyHeader(bytes);
        if (bytes.length >= 2048) expect(outcome).not.toBe('incomplete');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [
      'IPv6',
      v2(
        0x21,
        0x21,
        Buffer.concat([Buffer.from('20010db8000000000000000000000007', 'hex'), Buffer.alloc(16), ports(1, 2)]),
      ),
      '2001:db8::7',
    ],
    [
      'IPv4 within IPv6',
      v2(
        0x21,
        0x21,
        Buffer.concat([Buffer.from('00000000000000000000ffffc0000207', 'hex'), Buffer.alloc(16), ports(1, 2)]),
      ),
      '192.0.2.7',
    ],
  ])('reads %s of version 2', (_, bytes, address) => {
    expect(readProxyHeader(bytes)).toMatchObject({ outcome: 'read', source: { address, port: 1 } });
  });

  it.each([
    ['version 1', Buffer.from('PROXY UNKNOWN whatever it says\r\n')],
    ['version 2, local', v2(0x20, 0x00, Buffer.alloc(0))],
    ['version 2, unspecified', v2(0x21, 0x00, Buffer.alloc(7))],
  ])('takes a proxy that speaks for itself, in %s', (_, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ outcome: 'read', length: bytes.length });
  });

  it.each([
    ['another family', Buffer.from('PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['an address of the other family', Buffer.from('PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n')],
    ['an address with a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n')],
    ['two spaces', Buffer.from('PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n')],
    ['a leading zero', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n')],
    ['a port that is too large', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n')],
    ['one word too many', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n')],
    ['a line feed alone', Buffer.from(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n${'x'.repeat(100)}`)],
    ['lower case', Buffer.from('proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['a version that is not known', v2(0x31, 0x11, Buffer.alloc(12))],
    ['a command that is not known', v2(0x22, 0x11, Buffer.alloc(12))],
    ['UDP', v2(0x21, 0x12, Buffer.alloc(12))],
    ['too few bytes for its addresses', v2(0x21, 0x21, Buffer.alloc(12))],
    ['a size beyond the bound', v2(0x21, 0x11, Buffer.alloc(5000)).subarray(0, 20)],
    ['MQTT', Buffer.from([0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54])],
    ['TLS', Buffer.from([0x16, 3, 1, 2, 0])],
  ])('refuses %s', (_, bytes) => {
    expect(readProxyHeader(bytes).outcome).toBe('malformed');
  });
});
