import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectDevice } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  [server, other] = await Promise.all([testServer(), testServer()]);
});
afterAll(async () => {
  await server.close();
  await other.close();
});

const ME = { organisation: 'demo', type: 'pump', id: 'pump-7' };
const connect = (more: object, to = server) =>
  connectDevice({
    ...ME,
    host: 'localhost',
    port: to.port,
    ca: to.rootFile,
    token: server.tokens['pump-7'] ?? '',
    ...more,
  });
const pinOf = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
const leafOf = ({ directory }: TestServer) => readFileSync(join(directory, 'pki', 'server.pem'), 'utf8');

describe('a server that is not ours', () => {
  it('gets no credential: its root is not the one that was named', async () => {
    const heard: unknown[] = [];
    other.server.events.on('session.refused', (event) => heard.push(event));
    await expect(connect({ ca: server.rootFile }, other)).rejects.toMatchObject({ code: 'server_not_trusted' });
    expect(heard).toEqual([]);
  });

  it('gets no credential under another name than its own', async () => {
    await expect(connect({ host: '127.0.0.2' })).rejects.toMatchObject({
      code: expect.stringMatching(/^server_(not_trusted|unreachable)$/),
    });
  });

  it.each([
    ['the certificate of the server', () => pinOf(leafOf(server))],
    ['its root', () => pinOf(server.rootPem)],
    ['one of several, written with colons', () => ['00'.repeat(32), pinOf(leafOf(server)).replace(/..(?=.)/g, '$&:')]],
  ])('is told by its pin: %s is taken', async (_, pin) => {
    const device = await connect({ serverPin: pin() });
    await device.publishEvent('status', {});
    await device.close();
  });

  it.each([false, true])(
    'is told by its pin although it is trusted otherwise (over WebSocket: %s)',
    async (websocket) => {
      const port = websocket ? server.httpPort : server.port;
      await expect(connect({ serverPin: pinOf(leafOf(other)), websocket, port })).rejects.toMatchObject({
        code: 'server_not_trusted',
        message: expect.stringContaining('pinned'),
      });
    },
  );

  it('does not widen what is trusted by a pin', async () => {
    await expect(connect({ ca: server.rootFile, serverPin: pinOf(leafOf(other)) }, other)).rejects.toMatchObject({
      code: 'server_not_trusted',
    });
  });

  it('cannot be pinned by what is no hash', async () => {
    await expect(connect({ serverPin: 'abc' })).rejects.toMatchObject({ code: 'key_material_invalid' });
  });
});
