import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:net';
import type { Failure } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDevice, type DeviceOptions } from '../src/connect-device.ts';
import { connectGateway } from '../src/connect-gateway.ts';

/*
 * What a program without types hands over is told before a byte is sent, with a cure; no secret is told with it.
 */

const PASSWORD = 'Quiet-River+42';
let port: number;
let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.destroy();
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  ({ port } = server.address() as { port: number });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const good = () => ({ host: 'localhost', port, organisation: 'demo', type: 'pump', id: 'pump-7', token: PASSWORD });
const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });

const BAD: readonly (readonly [string, object])[] = [
  ['no host', { host: undefined }],
  ['an empty host', { host: '' }],
  ['a host that is a number', { host: 5 }],
  ['an address for a host', { host: 'mqtts://localhost' }],
  ['a port beyond all', { port: 70_000 }],
  ['a negative port', { port: -1 }],
  ['a port that is no number', { port: Number.NaN }],
  ['a port that is a text', { port: '8883' }],
  ['an organisation with a blank', { organisation: 'a b' }],
  ['a type with a level', { type: 'a/b' }],
  ['an empty id', { id: '' }],
  ['no id', { id: undefined }],
  ['a wildcard for an id', { id: '+' }],
  ['an empty token', { token: '' }],
  ['a token that is a number', { token: 5 }],
  ['a token with its line break', { token: `${PASSWORD}\n` }],
  ['a password that is too long', { token: undefined, username: 'a', password: 'x'.repeat(70_000) }],
  ['another version', { protocolVersion: 3 }],
  ['a version that is a text', { protocolVersion: '5' }],
  ['a negative keep alive', { keepAlive: -1 }],
  ['a keep alive beyond all', { keepAlive: 1e6 }],
  ['a negative time', { connectTimeout: -5 }],
  ['a time that is none', { connectTimeout: Number.NaN }],
  ['room for less than nothing', { maximumPending: -1 }],
  ['pauses that are none', { backoff: { first: -1 } }],
  ['pauses that are texts', { backoff: { longest: 'x' } }],
  ['no path for WebSocket', { websocket: 'mqtt' }],
  ['a signal that is none', { signal: 5 }],
  ['a certificate that is null', { certificate: null }],
  ['a certificate without anything', { certificate: {} }],
  ['a certificate without its key', { certificate: { cert: 'x' } }],
];

describe('a device program', () => {
  it.each(BAD)('is told at once of %s', async (_what, more) => {
    const before = connections;
    const failure = await connectDevice({ ...good(), ...more } as DeviceOptions).then(
      () => expect.unreachable('it connected'),
      (cause: unknown) => cause as Failure,
    );
    expect(failure.code).toBe('invalid_request');
    expect(failure.cure).not.toBe('');
    expect(failure.message).not.toContain(PASSWORD);
    expect(connections).toBe(before);
  });

  it.each<[string, object]>([
    ['a certificate that is none', { certificate: { cert: 'x', key: pem } }],
    ['a key that is none', { certificate: { cert: 'x', key: 'y' } }],
    ['a PKCS#12 file that is none', { certificate: { pkcs12: new Uint8Array(4), passphrase: PASSWORD } }],
  ])('is told at once of %s', async (_what, more) => {
    const before = connections;
    await expect(connectDevice({ ...good(), ...more } as DeviceOptions)).rejects.toMatchObject({
      code: 'key_material_invalid',
      cure: expect.stringMatching(/./),
    });
    expect(connections).toBe(before);
  });

  it.each([undefined, null, 5, {}])('is told that it has said nothing: %s', async (options) => {
    await expect(connectDevice(options as never)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(connectGateway(options as never)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each([undefined, null])('is told of a function that gets no token but %s', async (nothing) => {
    const accessToken = () => nothing as never;
    await expect(connectDevice({ ...good(), token: undefined as never, accessToken })).rejects.toMatchObject({
      code: 'token_unavailable',
    });
  });
});
