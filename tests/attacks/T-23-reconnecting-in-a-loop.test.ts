import { request } from 'node:https';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
afterEach(() => server.close());

describe('one address that connects again and again', () => {
  it('has its further connections closed before a handshake, each of them counted', async () => {
    server = await testServer({ 'limits.maximumConnectRatePerAddress': 1, 'limits.boundLoopback': true });
    const tries = 60;
    const ends = Array.from({ length: tries }, async () => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      socket.on('error', () => {});
      const ended = new Promise((resolve) => socket.once('close', () => resolve('closed')));
      // Who was let in is asked for a handshake, and answers this with an alert.
      socket.once('connect', () => socket.write(Buffer.from([0x16, 3, 1, 0, 1, 0])));
      socket.resume();
      await ended;
    });
    await Promise.all(ends);
    const { items } = await server.api.refusals({ limit: 500 });
    const limited = items
      .filter(({ reason }) => reason === 'connection_limit')
      .reduce((sum, { count }) => sum + count, 0);
    expect(limited).toBeGreaterThan(tries / 2);
    expect(limited).toBeLessThan(tries);
  });

  it('takes no more WebSockets than the listener has', async () => {
    server = await testServer({ 'listeners.http.maximumConnections': 3 });
    const statuses: number[] = [];
    const sockets: WebSocket[] = [];
    for (let index = 0; index < 6; index++) {
      const socket = new WebSocket(`wss://localhost:${server.httpPort}/mqtt`, 'mqtt', { ca: server.rootPem });
      sockets.push(socket);
      socket.on('error', () => {});
      statuses.push(
        await new Promise<number>((resolve) => {
          socket.once('open', () => resolve(101));
          socket.once('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode));
        }),
      );
    }
    expect(statuses).toEqual([101, 101, 101, 503, 503, 503]);
    for (const socket of sockets) socket.terminate();
  });
});

describe.each(VERSIONS)('a device of version %s that connects again and again', (version) => {
  it('waits for its turn or is refused, and others are not kept waiting', { timeout: 20_000 }, async () => {
    server = await testServer({ 'limits.devices.maximumConnectRate': 1, 'limits.connectTimeout': '1s' });
    const tries = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const client = await RawClient.dial(server, version);
        const answer = await client.connect(identity(server, 'pump-7')).catch(() => undefined);
        return { client, code: answer?.reasonCode };
      }),
    );
    const others = await RawClient.open(server, 'desk');
    expect(await others.settled()).toBe(true);
    expect(tries.filter(({ code }) => code === 0).length).toBeLessThan(20);
    await Promise.all(tries.map(({ client }) => client.vanish()));
    await others.vanish();
  });
});

it('requests with wrong tokens are bounded over one kept connection as over many', async () => {
  server = await testServer();
  const statuses = await Promise.all(
    Array.from(
      { length: 60 },
      (_, index) =>
        new Promise<number>((resolve, reject) => {
          const headers = { authorization: `Bearer guess-${index}` };
          const sent = request({
            host: 'localhost',
            port: server.httpPort,
            path: '/api/v1/organisations',
            headers,
            ca: server.rootPem,
          });
          sent.on('error', reject);
          sent.on('response', (answer) => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
          });
          sent.end();
        }),
    ),
  );
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(12);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(40);
});
