import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { type From, identity, RawClient } from './raw-client.ts';

const PROXY = { localAddress: '127.0.0.80' };
const STRANGER = { localAddress: '127.0.0.81' };
const UNWANTED = '192.0.2.66';
const v1 = (address: string) => Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 4711 8883\r\n`);
const v2 = (address: string) =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c', 'latin1'),
    Buffer.from(address.split('.').map(Number)),
    Buffer.from([127, 0, 0, 1, 0x12, 0x67, 0x22, 0xb3]),
  ]);

let server: TestServer;
beforeEach(async () => {
  const proxyAddresses = ['127.0.0.80/32'];
  server = await testServer({
    'listeners.mqttPlain.allowPlaintextListener': true,
    'listeners.mqttTls.proxyAddresses': proxyAddresses,
    'listeners.mqttPlain.proxyAddresses': proxyAddresses,
    'listeners.http.proxyAddresses': proxyAddresses,
    'listeners.mqttTls.handshakeTimeout': '1s',
  });
  await server.server.registry.organisations.update({ id: 'demo', security: 'tls-optional', by: 'system' });
  await server.api.lists.add(undefined, 'black', { entries: [{ entry: UNWANTED }] });
  await server.api.lists.use(undefined, { active: 'black' });
});
afterEach(() => server.close());

const lastRefusal = async () => (await server.api.refusals({ limit: 1 })).items[0];
const refused = async (from: From, plain: boolean): Promise<void> => {
  const entered = await RawClient.dial(server, 5, plain, from).catch(() => undefined);
  await entered?.gone;
};

describe.each([true, false])('behind a named proxy, plain: %s', (plain) => {
  it.each([v1, v2])('the address of the client counts, not that of the proxy', async (header) => {
    const from = { ...PROXY, header: header('198.51.100.7') };
    const client = await RawClient.dial(server, 5, plain, from);
    expect((await client.connect(identity(server, 'pump-7'))).reasonCode).toBe(0);
    const { items } = await server.api.sessions.list('demo');
    expect(items[0]).toMatchObject({ address: '198.51.100.7' });
    expect(await client.settled()).toBe(true);

    await refused({ ...PROXY, header: header(UNWANTED) }, plain);
    await expect
      .poll(lastRefusal, { timeout: 10_000 })
      .toMatchObject({ reason: 'address_on_black_list', address: UNWANTED });
  });

  it('a connection without a header, or with a wrong one, is refused', async () => {
    if (plain) {
      // Bytes of a client in place of the header.
      const client = await RawClient.dial(server, 5, true, PROXY);
      client.send({ type: 'connect', protocolVersion: 5, cleanStart: true, keepAlive: 0, clientId: 'x' });
      await client.gone;
    } else await refused(PROXY, false);
    await expect
      .poll(lastRefusal, { timeout: 10_000 })
      .toMatchObject({ reason: 'proxy_header_missing', address: '127.0.0.80' });
    await refused({ ...PROXY, header: Buffer.from('PROXY TCP4 nobody nowhere 1 2\r\n') }, plain);
    await expect.poll(lastRefusal, { timeout: 10_000 }).toMatchObject({ reason: 'proxy_header_missing' });
  });

  it.each([v1, v2])(
    'a stranger who says that it is a proxy is refused, and nothing that it says counts',
    async (header) => {
      await refused({ ...STRANGER, header: header('198.51.100.7') }, plain);
      await expect
        .poll(lastRefusal, { timeout: 10_000 })
        .toMatchObject({ reason: 'proxy_header_refused', address: '127.0.0.81' });
      const client = await RawClient.dial(server, 5, plain, STRANGER);
      expect((await client.connect(identity(server, 'pump-7'))).reasonCode).toBe(0);
      expect((await server.api.sessions.list('demo')).items[0]).toMatchObject({ address: '127.0.0.81' });
    },
  );
});

it('a header that comes byte by byte is read, and one that never ends is given up', async () => {
  const socket = connect({ host: '127.0.0.1', port: server.plainPort, ...PROXY });
  for (const byte of v1('198.51.100.9')) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const events: unknown[] = [];
  server.server.events.on('handshake.refused', (event) => events.push(event.refusal.address));
  socket.write(Buffer.from([0x16, 3, 1]));
  await once(socket, 'close');
  await expect.poll(() => events).toContain('198.51.100.9');

  const silent = connect({ host: '127.0.0.1', port: server.port, ...PROXY });
  silent.write('PROXY TCP4 ');
  await once(silent, 'close');
  await expect.poll(lastRefusal, { timeout: 10_000 }).toMatchObject({ reason: 'proxy_header_missing' });
});

it('requests of the API and WebSockets come from where the proxy says', async () => {
  const tcp = connect({ host: '127.0.0.1', port: server.httpPort, ...PROXY });
  tcp.write(v2('198.51.100.20'));
  const tls = connectTls({ socket: tcp, servername: 'localhost', ca: server.rootPem });
  await once(tls, 'secureConnect');
  tls.write(
    'GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong-token\r\nConnection: close\r\n\r\n',
  );
  tls.resume();
  await once(tls, 'close');
  await expect.poll(lastRefusal, { timeout: 10_000 }).toMatchObject({ action: 'manage', address: '198.51.100.20' });
});
