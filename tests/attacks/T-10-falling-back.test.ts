import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { connectApplication } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import { encode } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { connectPacket, identity, RawClient } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

/** What came of a handshake: version and cipher, or nothing. */
function handshake(port: number, options: ConnectionOptions) {
  return new Promise<{ version: string | null; cipher: string } | undefined>((resolve) => {
    let socket: TLSSocket;
    try {
      socket = connect({ host: 'localhost', port, ca: server.rootPem, ...options });
    } catch {
      resolve(undefined);
      return;
    }
    socket.once('secureConnect', () => {
      resolve({ version: socket.getProtocol(), cipher: socket.getCipher().name });
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}

const OLD = 'ALL:@SECLEVEL=0';
const WEAK: Readonly<Record<string, ConnectionOptions>> = {
  'TLS 1.0': { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: OLD },
  'TLS 1.1': { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: OLD },
  'CBC with SHA-1': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' },
  'CBC with SHA-256': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384' },
  'CBC without forward secrecy': { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-SHA256' },
  'GCM without forward secrecy': { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
  'no encryption': { maxVersion: 'TLSv1.2', ciphers: 'eNULL:@SECLEVEL=0' },
  'no authentication': { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' },
  'a pre-shared key': { maxVersion: 'TLSv1.2', ciphers: 'PSK:@SECLEVEL=0' },
};

describe.each(['port', 'httpPort'] as const)('the %s', (door) => {
  it.each(Object.keys(WEAK))('shakes no hands with %s', async (name) => {
    expect(await handshake(server[door], { ...WEAK[name], rejectUnauthorized: false })).toBeUndefined();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('offers authenticated encryption with %s', async (version) => {
    const found = await handshake(server[door], { minVersion: version, maxVersion: version });
    expect(found).toMatchObject({ version, cipher: expect.stringMatching(/GCM|CHACHA20|CCM/) });
  });

  it('can be told from an impostor: the certificate holds for its own names under its own root alone', async () => {
    expect(await handshake(server[door], { ca: [] })).toBeUndefined();
    expect(await handshake(server[door], { servername: 'example.org' })).toBeUndefined();
    expect(await handshake(server[door], {})).toBeDefined();
  });

  it('gives no MQTT to who speaks it without TLS', async () => {
    const socket = connectTcp({ host: '127.0.0.1', port: server[door] });
    const heard: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('error', () => {});
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.write(encode(connectPacket(identity(server, 'pump-7'), 4), 4));
    await gone;
    // CONNACK begins with 0x20.
    expect(Buffer.concat(heard)[0]).not.toBe(0x20);
  });
});

it('the listener without TLS is off unless it is named, and named at each start if it is on', async () => {
  expect(server.server.plainPort).toBeUndefined();
  const unsafe = await testServer({ 'listeners.mqttPlain.allowPlaintextListener': true });
  try {
    // Even then the device type's demand for TLS holds.
    const client = await RawClient.dial(unsafe, 4, true);
    expect(await client.connect(identity(unsafe, 'pump-7'))).toMatchObject({ reasonCode: 5 });
    const { items } = await unsafe.api.audit({ type: 'server.unsafe' });
    expect(JSON.stringify(items)).toContain('allowPlaintextListener');
  } finally {
    await unsafe.close();
  }
});

describe('the client libraries', () => {
  const insecure = {
    rejectUnauthorized: false,
    insecure: true,
    checkServerIdentity: () => undefined,
    protocol: 'mqtt',
  };

  it.each([{}, { websocket: true }])(
    'do not trust a server whose root they were not given, whatever else they are told: %j',
    async (way) => {
      const port = 'websocket' in way ? server.httpPort : server.port;
      const who = { host: 'localhost', port, organisation: 'demo', connectTimeout: 5000, ...insecure, ...way };
      const device = connectDevice({ ...who, type: 'pump', id: 'pump-7', token: server.tokens['pump-7'] ?? '' });
      await expect(device).rejects.toThrow();
      const application = connectApplication({
        ...who,
        id: 'desk',
        key: server.keys.desk ?? '',
        token: server.tokens.desk ?? '',
      });
      await expect(application).rejects.toThrow();
    },
  );

  it('send no secret to a listener without TLS', async () => {
    const heard: Buffer[] = [];
    const trap = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => heard.push(chunk));
      socket.write(Buffer.from([0x20, 2, 0, 0]));
      socket.end();
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const { port } = trap.address() as AddressInfo;
    const token = server.tokens['pump-7'] ?? '';
    const device = {
      host: '127.0.0.1',
      port,
      organisation: 'demo',
      type: 'pump',
      id: 'pump-7',
      token,
      ca: server.rootPem,
    };
    await expect(connectDevice({ ...device, connectTimeout: 5000, ...insecure })).rejects.toThrow();
    await new Promise((resolve) => trap.close(resolve));
    expect(Buffer.concat(heard).includes(token)).toBe(false);
  });
});
