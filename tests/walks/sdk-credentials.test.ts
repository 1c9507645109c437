import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDevice, type DeviceOptions, Outbox } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { issuedPair, type Pair } from '../certificate-clients.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let pair: Pair;
let folder: string;
beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-sdk-'));
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate-or-token' });
  pair = await issuedPair(server, 'device:demo/pump/pump-7');
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const connect = (more: Partial<DeviceOptions>) =>
  connectDevice({
    host: 'localhost',
    port: server.port,
    ca: server.rootFile,
    organisation: 'demo',
    type: 'pump',
    id: 'pump-7',
    ...more,
  });

async function speaks(more: Partial<DeviceOptions>): Promise<void> {
  const device = await connect(more);
  await device.publishEvent('status', {});
  await device.close();
}

describe('a device program', () => {
  it('connects with a user name and password', async () => {
    const device = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    await server.api.devices.credentials.issue(device, {
      password: { username: 'paula', password: 'a long password' },
    });
    await speaks({ username: 'paula', password: 'a long password' });
  });

  it('connects with a certificate alone', () => speaks({ certificate: pair }));

  it('connects with a certificate and a token where both are demanded', async () => {
    const type = { organisation: 'demo', id: 'pump' };
    await server.api.types.update(type, { security: 'tls-certificate-and-token' });
    await speaks({ certificate: pair, token: server.tokens['pump-7'] ?? '' });
    await expect(speaks({ certificate: pair })).rejects.toMatchObject({ code: 'connection_refused' });
    await server.api.types.update(type, { security: 'tls-certificate-or-token' });
  });

  it.each([{}, { token: 'x', username: 'y', password: 'z' }, { username: 'y' }])(
    'is told that %j is no credential',
    async (none) => {
      await expect(connect(none)).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );

  it('sends what its outbox holds from before it was connected', async () => {
    const outbox = await Outbox.open({ file: join(folder, 'outbox') });
    await outbox.queueEvent('status', 1);
    const tap = await RawClient.open(server, 'tap');
    await tap.subscribe('iot-2/type/pump/id/pump-7/evt/+/fmt/+');
    const device = await connect({ token: server.tokens['pump-7'] ?? '', outbox });
    await outbox.queueEvent('status', 2);
    for (const n of ['1', '2']) expect(Buffer.from((await tap.take('publish')).payload).toString()).toBe(n);
    while (outbox.length > 0) await new Promise((resolve) => setImmediate(resolve));
    await device.close();
    await outbox.close();
  });
});

describeWith(['openssl'], 'a device program with a PKCS#12 file', ({ openssl = '' }) => {
  it('connects with it and its passphrase', async () => {
    const file = (name: string) => join(folder, name);
    writeFileSync(file('key.pem'), pair.key);
    writeFileSync(file('cert.pem'), pair.cert);
    execFileSync(openssl, [
      ...['pkcs12', '-export', '-inkey', file('key.pem'), '-in', file('cert.pem')],
      ...['-out', file('pump.p12'), '-passout', 'pass:open sesame'],
    ]);
    const pkcs12 = readFileSync(file('pump.p12'));
    await speaks({ certificate: { pkcs12, passphrase: 'open sesame' } });
  });
});
