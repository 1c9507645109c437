import { once } from 'node:events';
import { request } from 'node:https';
import { encode } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type TestServer, testServer } from '../server.ts';
import { connectPacket, identity, type Login } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

function dial(protocols: string | string[] = 'mqtt', options = {}, path = '/mqtt') {
  const socket = new WebSocket(`wss://localhost:${server.httpPort}${path}`, protocols, {
    ca: server.rootPem,
    ...options,
  });
  socket.on('error', () => {});
  return socket;
}
/** Sends a CONNECT and answers the return code; -1 if the connection ended without one. */
async function login(socket: WebSocket, who: Login): Promise<number> {
  await once(socket, 'open');
  const answer = Promise.race([
    once(socket, 'message').then(([data]) => (data as Buffer)[3] ?? -1),
    once(socket, 'close').then(() => -1),
  ]);
  socket.send(encode(connectPacket(who, 4), 4));
  return answer;
}
const refusal = (socket: WebSocket) =>
  Promise.race([
    once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    once(socket, 'open').then(() => 101),
  ]);

describe('an upgrade', () => {
  it.each([[[]], [['http']], [['MQTT']], [['mqtt2', 'soap']], [['mqttv5']]])(
    'that offers the subprotocols %j is refused',
    async (protocols) => {
      expect(await refusal(dial(protocols))).toBe(400);
    },
  );

  it.each(['/', '/mqtt/', '/MQTT', '/mqtt/x', '/api/v1/health', '/%6dqtt', '//mqtt', '/mqtt/..'])(
    'at %s is refused',
    async (path) => {
      expect(await refusal(dial('mqtt', {}, path))).toBe(404);
    },
  );

  it('chooses the subprotocol and no compression', async () => {
    const socket = dial(['soap', 'mqtt'], { perMessageDeflate: true });
    await once(socket, 'open');
    expect([socket.protocol, socket.extensions]).toEqual(['mqtt', '']);
    socket.terminate();
  });

  it('of another version is refused', async () => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '7',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'mqtt',
    };
    const sent = request({
      host: 'localhost',
      port: server.httpPort,
      path: '/mqtt',
      headers,
      ca: server.rootPem,
      agent: false,
    });
    sent.end();
    const [answer] = await once(sent, 'response');
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
  });
});

describe('behind the upgrade the same doors stand', () => {
  it.each([
    ['a wrong token', () => ({ ...identity(server, 'pump-7'), password: Buffer.from('wrong-1') }), 5],
    ['no token', () => ({ clientId: 'd:demo:pump:pump-7' }), 5],
    ['the client id of another', () => ({ ...identity(server, 'desk'), clientId: 'd:demo:pump:pump-7' }), 2],
    ['what is right', () => identity(server, 'pump-7'), 0],
  ])('for %s', async (_, who, code) => {
    const socket = dial();
    expect(await login(socket, who())).toBe(code);
    socket.terminate();
  });

  it('a page of another site has nothing that would let it in: neither its origin nor cookies count', async () => {
    const headers = { cookie: `token=${server.operatorToken}`, authorization: `Bearer ${server.operatorToken}` };
    const socket = dial('mqtt', { origin: 'https://evil.example', headers });
    expect(await login(socket, { clientId: 'd:demo:pump:pump-7' })).toBe(5);
    socket.terminate();
  });

  it('no answer of the API invites pages of other sites', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'DELETE' };
    for (const method of ['OPTIONS', 'GET']) {
      const sent = request({
        host: 'localhost',
        port: server.httpPort,
        path: '/api/v1/health',
        method,
        headers,
        ca: server.rootPem,
        agent: false,
      });
      sent.end();
      const [answer] = await once(sent, 'response');
      answer.resume();
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});

describe('frames', () => {
  it('of text end the connection, whatever stands in them', async () => {
    const socket = dial();
    await once(socket, 'open');
    socket.send(encode(connectPacket(identity(server, 'pump-7'), 4), 4).toString('latin1'));
    const heard: unknown[] = [];
    socket.on('message', (data) => heard.push(data));
    const [code] = await once(socket, 'close');
    expect([code, heard]).toEqual([1003, []]);
  });

  it('that are huge end the connection before they are held', async () => {
    const socket = dial();
    await once(socket, 'open');
    socket.send(Buffer.alloc(8 * 1024 * 1024));
    const [code] = await once(socket, 'close');
    expect([1006, 1009]).toContain(code);
  });

  it('in many fragments are no larger than one', async () => {
    const socket = dial();
    await once(socket, 'open');
    const closed = once(socket, 'close');
    for (let index = 0; index < 64; index++) socket.send(Buffer.alloc(64 * 1024), { fin: false }, () => {});
    const [code] = await closed;
    expect([1006, 1009]).toContain(code);
  });

  it('may cut packets anywhere', async () => {
    const socket = dial();
    await once(socket, 'open');
    const answer = once(socket, 'message');
    for (const byte of encode(connectPacket(identity(server, 'pump-7'), 4), 4)) socket.send(Buffer.of(byte));
    expect(((await answer)[0] as Buffer)[3]).toBe(0);
    socket.terminate();
  });
});
