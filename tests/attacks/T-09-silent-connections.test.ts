import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

/** A TCP connection that says no more than these bytes; resolves `gone` when the server ends it. */
async function dial(port: number, bytes = Buffer.of()) {
  const socket = connectTcp({ host: '127.0.0.1', port });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.resume();
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await Promise.race([new Promise<void>((resolve) => socket.once('connect', resolve)), gone]);
  if (bytes.length > 0) socket.write(bytes);
  return { socket, gone };
}

/** The first bytes of a ClientHello, and then nothing. */
const HALF_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);

describe('a connection that keeps silent', () => {
  it.each([
    ['before the handshake', Buffer.of()],
    ['in the midst of the handshake', HALF_HELLO],
  ])('%s is ended by the deadline and explained', async (_, bytes) => {
    server = await testServer({ 'listeners.mqttTls.handshakeTimeout': '1s' });
    const { gone } = await dial(server.port, bytes);
    await gone;
    expect((await server.api.refusals()).items).toContainEqual(
      expect.objectContaining({ reason: 'handshake_timeout' }),
    );
  });

  it.each([
    ['after the handshake', Buffer.of()],
    ['within its CONNECT', Buffer.from([0x10, 0x20, 0x00])],
  ])('%s is ended by the deadline for CONNECT', async (_, bytes) => {
    server = await testServer({ 'limits.connectTimeout': '1s' });
    const client = await RawClient.dial(server);
    client.raw(bytes);
    await client.gone;
    expect(client.packets).toEqual([]);
  });

  it('is not kept alive by a trickle of bytes', async () => {
    server = await testServer({ 'limits.connectTimeout': '1s' });
    const client = await RawClient.dial(server);
    client.raw(Buffer.from([0x10, 0xff, 0x01]));
    const trickle = setInterval(() => client.raw(Buffer.of(0)), 50);
    await client.gone;
    clearInterval(trickle);
  });

  it('on the plain listener is ended too', async () => {
    server = await testServer({ 'listeners.mqttPlain.allowPlaintextListener': true, 'limits.connectTimeout': '1s' });
    const { gone } = await dial(server.plainPort, Buffer.from([0x10]));
    await gone;
  });
});

describe('beyond the bound on unfinished handshakes', () => {
  it('newcomers are closed, and who is in stays in', async () => {
    server = await testServer({ 'listeners.mqttTls.maximumHandshakes': 4 });
    const inside = await RawClient.open(server, 'pump-7');
    const held: Socket[] = [];
    for (let count = 0; count < 4; count++)
      held.push((await dial(server.port, count % 2 ? HALF_HELLO : Buffer.of())).socket);
    for (let count = 0; count < 8; count++) await (await dial(server.port)).gone;
    expect(held.every((socket) => !socket.destroyed)).toBe(true);
    expect(await inside.settled()).toBe(true);
    // As soon as one lets go, there is room.
    const room = new Promise((resolve) => held[0]?.once('close', resolve));
    held[0]?.destroy();
    await room;
    await eventually(() => RawClient.open(server, 'pump-8'));
    const { items } = await server.api.refusals();
    expect(items.find(({ reason }) => reason === 'too_many_handshakes')?.count).toBeGreaterThanOrEqual(8);
    await inside.vanish();
  });

  it('the bound on connections of the listener holds for those without CONNECT as well', async () => {
    server = await testServer({ 'listeners.mqttTls.maximumConnections': 3 });
    const held = [await RawClient.dial(server), await RawClient.dial(server), await RawClient.dial(server)];
    await (await dial(server.port)).gone;
    expect(held.every(({ closed }) => !closed)).toBe(true);
    for (const client of held) await client.vanish();
  });

  it('the bound on connections of the whole server holds', async () => {
    server = await testServer({ 'limits.maximumConnections': 2 });
    const held = [await RawClient.open(server, 'pump-7'), await RawClient.dial(server)];
    // With several workers it is closed before its handshake.
    const late = await RawClient.dial(server).catch(() => undefined);
    await late?.gone;
    expect(late?.packets ?? []).toEqual([]);
    expect(await held[0]?.settled()).toBe(true);
    for (const client of held) await client.vanish();
  });
});

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
