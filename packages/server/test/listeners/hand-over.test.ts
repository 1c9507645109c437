import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type HandedOver, listenForOthers } from '../../src/listeners/hand-over.ts';
import type { HandshakeFailure } from '../../src/listeners/handshake-problem.ts';
import type { Listener } from '../../src/listeners/listener-options.ts';

let listener: Listener | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener?.close();
});

async function open(options: object) {
  const given: { socket: Socket; one: HandedOver }[] = [];
  const failures: HandshakeFailure[] = [];
  listener = await listenForOthers({
    name: 'test',
    address: '127.0.0.1',
    port: 0,
    onHandshakeFailure: (failure) => failures.push(failure),
    give: (socket, one) => given.push({ socket, one }),
    ...options,
  });
  const dial = async (count: number) => {
    for (let index = 0; index < count; index++) {
      const socket = connect({ host: '127.0.0.1', port: listener?.port ?? 0 });
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write('bytes of a client');
      await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
    }
  };
  return { given, failures, dial };
}

it('hands connections over of which not a byte was read, within their bounds', async () => {
  const { given, failures, dial } = await open({ maximumConnections: 2 });
  await dial(4);
  await expect.poll(() => failures.length, { timeout: 10_000 }).toBe(2);
  expect(given).toHaveLength(2);
  for (const { socket } of given) expect(socket.bytesRead).toBe(0);
  expect(failures[0]).toMatchObject({ problem: 'connection_limit', listener: 'test', remoteAddress: '127.0.0.1' });
  given[0]?.one.settled();
  given[0]?.one.gone();
  await dial(1);
  await expect.poll(() => given.length, { timeout: 10_000 }).toBe(3);
});

it('counts the client behind a named proxy when its name is known, and not the proxy', async () => {
  const { given, failures, dial } = await open({ proxyAddresses: ['127.0.0.0/8'], maximumHandshakesPerAddress: 1 });
  await dial(3);
  await expect.poll(() => given.length, { timeout: 10_000 }).toBe(3);
  const client = { remoteAddress: '192.0.2.7', remotePort: 4711, localPort: 8883 };
  expect(given[0]?.one.proxied(client)).toBe(true);
  expect(given[1]?.one.proxied(client)).toBe(false);
  expect(failures).toEqual([expect.objectContaining({ problem: 'too_many_handshakes', remoteAddress: '192.0.2.7' })]);
  given[0]?.one.settled();
  expect(given[2]?.one.proxied(client)).toBe(true);
});

it('bounds the headers of proxies that do not come', async () => {
  const { given, dial } = await open({ proxyAddresses: ['127.0.0.0/8'], maximumHandshakes: 2 });
  await dial(4);
  await expect.poll(() => sockets.filter(({ destroyed }) => destroyed).length, { timeout: 10_000 }).toBe(2);
  expect(given).toHaveLength(2);
  given[0]?.one.gone();
  await dial(1);
  await expect.poll(() => given.length, { timeout: 10_000 }).toBe(3);
});
