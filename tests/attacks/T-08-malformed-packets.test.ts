import { randomBytes } from 'node:crypto';
import { encode } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { connectPacket, field, identity, packetBytes, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
let witness: RawClient;
beforeAll(async () => {
  server = await testServer();
  witness = await RawClient.open(server, 'desk');
});
afterAll(() => server.close());

const bytes = (...values: number[]) => Buffer.from(values);
const CONNECT_HEAD = [field('MQTT'), bytes(4, 2, 0, 60)] as const;

/** What a stranger sends as its first bytes. */
const FIRST: Readonly<Record<string, Buffer>> = {
  'a CONNECT of 256 MiB': bytes(0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4),
  'a CONNECT of 200 MB': bytes(0x10, 0x80, 0x88, 0xaf, 0x5f, 0, 4),
  'a length of five bytes': bytes(0x10, 0x80, 0x80, 0x80, 0x80, 1),
  'a length that never ends': bytes(0x10, ...Array.from({ length: 64 }, () => 0xff)),
  'a CONNECT of no bytes': bytes(0x10, 0),
  'a CONNECT with flags in its header': Buffer.concat([
    bytes(0x11),
    packetBytes(0, ...CONNECT_HEAD, field('x')).subarray(1),
  ]),
  'a reserved packet type': bytes(0x00, 0),
  'a PUBLISH': packetBytes(0x30, field('x'), Buffer.from('x')),
  'a SUBSCRIBE': packetBytes(0x82, bytes(0, 1), field('#'), bytes(0)),
  'a PINGREQ': bytes(0xc0, 0),
  'a CONNACK': bytes(0x20, 2, 0, 0),
  'an AUTH': bytes(0xf0, 0),
  'another protocol name': packetBytes(0x10, field('MQTT\u0000'), bytes(4, 2, 0, 60), field('x')),
  'protocol version 6': packetBytes(0x10, field('MQTT'), bytes(6, 2, 0, 60), field('x')),
  'the reserved flag': packetBytes(0x10, field('MQTT'), bytes(4, 3, 0, 60), field('x')),
  'a password without a user name': packetBytes(0x10, field('MQTT'), bytes(4, 0x42, 0, 60), field('x'), field('y')),
  'a will of QoS 3': packetBytes(0x10, field('MQTT'), bytes(4, 0x1e, 0, 60), field('x'), field('w'), field('')),
  'a client id that is no UTF-8': packetBytes(0x10, ...CONNECT_HEAD, field(bytes(0xff, 0xfe))),
  'a client id with a surrogate': packetBytes(0x10, ...CONNECT_HEAD, field(bytes(0xed, 0xa0, 0x80))),
  'an overlong encoding': packetBytes(0x10, ...CONNECT_HEAD, field(bytes(0xc0, 0xaf))),
  'a client id longer than the packet': packetBytes(0x10, ...CONNECT_HEAD, bytes(0xff, 0xff), Buffer.from('x')),
  'bytes behind the end': packetBytes(0x10, ...CONNECT_HEAD, field('x'), bytes(1, 2, 3)),
  'properties longer than the packet': packetBytes(0x10, field('MQTT'), bytes(5, 2, 0, 60, 0xff, 0x7f), field('x')),
  'an unknown property': packetBytes(0x10, field('MQTT'), bytes(5, 2, 0, 60, 2, 0x7f, 0), field('x')),
  'a property twice': packetBytes(0x10, field('MQTT'), bytes(5, 2, 0, 60, 6, 0x21, 0, 1, 0x21, 0, 1), field('x')),
  'a receive maximum of 0': packetBytes(0x10, field('MQTT'), bytes(5, 2, 0, 60, 3, 0x21, 0, 0), field('x')),
  'a request of HTTP': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
};

/** What somebody who is in sends. */
const LATER: Readonly<Record<string, readonly [Buffer]>> = {
  'a second CONNECT': [encode(connectPacket({ clientId: 'x' }, 4), 4)],
  'a PUBLISH of 256 MiB': [bytes(0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1)],
  'a PUBLISH of QoS 3': [packetBytes(0x36, field('x'), bytes(0, 1, 0))],
  'a repeated PUBLISH of QoS 0': [packetBytes(0x38, field('x'), bytes(0))],
  'a PUBLISH with packet id 0': [packetBytes(0x32, field('x'), bytes(0, 0, 0))],
  'a PUBLISH to a wildcard': [packetBytes(0x30, field('iot-2/+/x'), bytes(0))],
  'a PUBLISH to no topic': [packetBytes(0x30, field(''), bytes(0))],
  'a PUBLISH whose topic has a null': [packetBytes(0x30, field('a\u0000b'), bytes(0))],
  'a SUBSCRIBE without filters': [packetBytes(0x82, bytes(0, 1, 0))],
  'a SUBSCRIBE with flags 0': [packetBytes(0x80, bytes(0, 1), field('x'), bytes(0))],
  'a SUBSCRIBE of QoS 3': [packetBytes(0x82, bytes(0, 1), field('x'), bytes(3))],
  'an UNSUBSCRIBE without filters': [packetBytes(0xa2, bytes(0, 1))],
  'a PUBREL with flags 0': [packetBytes(0x60, bytes(0, 1))],
  'a PINGREQ with a body': [bytes(0xc0, 1, 0)],
  'a PINGRESP': [bytes(0xd0, 0)],
  'a SUBACK': [bytes(0x90, 3, 0, 1, 0)],
  'a reserved packet type': [bytes(0x00, 0)],
  'an AUTH': [bytes(0xf0, 0)],
  'random bytes behind a good packet': [Buffer.concat([bytes(0xc0, 0), bytes(0xff, 0xff, 0xff, 0xff, 0xff)])],
};

/** The server is still there, for those who behave. */
async function unharmed(): Promise<void> {
  expect(await witness.settled()).toBe(true);
}

describe('a stranger', () => {
  it.each(Object.keys(FIRST))('is disconnected for %s, without being let in', async (name) => {
    const client = await RawClient.dial(server);
    client.raw(FIRST[name] ?? Buffer.of());
    await client.gone;
    expect(client.packets.some((packet) => packet.type === 'connack' && packet.reasonCode === 0)).toBe(false);
    await unharmed();
  });

  it.each(Array.from({ length: 12 }, (_, index) => index))(
    'gets nowhere with 4 KiB of random bytes, try %i',
    async () => {
      const seed = randomBytes(4096);
      const client = await RawClient.dial(server);
      // Half of the tries look like the beginning of a CONNECT.
      client.raw(
        seed.readUInt8(0) & 1 ? seed : Buffer.concat([bytes(0x10, 0xff, 0x1f), field('MQTT'), bytes(5), seed]),
      );
      client.socket.end();
      await client.gone;
      expect(
        client.packets.some((packet) => packet.type === 'connack' && packet.reasonCode === 0),
        seed.toString('base64'),
      ).toBe(false);
      await unharmed();
    },
  );

  it('is not believed anything that it sends behind a CONNECT which is refused', async () => {
    const client = await RawClient.dial(server, 4);
    const packet = { type: 'pingreq' } as const;
    client.raw(
      Buffer.concat([
        encode(connectPacket({ clientId: 'd:demo:pump:pump-7', username: 'use-token-auth' }, 4), 4),
        encode(packet, 4),
      ]),
    );
    await client.gone;
    expect(client.packets).toEqual([{ type: 'connack', sessionPresent: false, reasonCode: 5 }]);
  });
});

describe.each(VERSIONS)('a device that speaks version %s', (version) => {
  it.each(Object.keys(LATER))('is disconnected for %s, and nobody else', async (name) => {
    const client = await RawClient.open(server, 'pump-7', {}, version);
    client.raw(LATER[name]?.[0] ?? Buffer.of());
    await client.gone;
    await unharmed();
  });

  it('may send its packets byte by byte', async () => {
    const client = await RawClient.dial(server, version);
    const all = Buffer.concat([
      encode(connectPacket(identity(server, 'pump-7'), version), version),
      encode({ type: 'pingreq' }, version),
    ]);
    for (const byte of all) client.raw(Buffer.of(byte));
    expect(await client.take('connack')).toMatchObject({ reasonCode: 0 });
    await client.take('pingresp');
    await client.vanish();
  });

  it('is disconnected with a packet one byte above the maximum, at its header', async () => {
    const client = await RawClient.open(server, 'pump-7', {}, version);
    const size = 256 * 1024 + 1 - 4;
    client.raw(bytes(0x30, (size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, size >> 14));
    await client.gone;
    if (version === 5)
      expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x95 }));
    await unharmed();
  });
});

it('counts no defect for all of that', async () => {
  const text = await server.api.metrics();
  expect(text).toMatch(/^sallyport_\w*defects\w* 0$/m);
});
