import { once } from 'node:events';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { guardHandshakes } from '../../src/listeners/guard-handshakes.ts';
import { attachWebSocket, type WebSocketOptions } from '../../src/listeners/websocket.ts';
import { testAuthority } from './certificates.ts';
import { Doorkeeper } from './doorkeeper.ts';

let door: Doorkeeper;
let server: Server;
let port: number;
const clients: WebSocket[] = [];

beforeEach(() => {
  door = new Doorkeeper();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(options: Partial<WebSocketOptions> = {}, onServer: Server = createHttp()): Promise<void> {
  server = onServer;
  attachWebSocket(server, {
    name: 'websocket',
    accept: door.accept,
    onHandshakeFailure: door.onHandshakeFailure,
    ...options,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
}

function ws(protocols: string[] = ['mqtt'], path = '/mqtt', options: ClientOptions = {}, scheme = 'ws'): WebSocket {
  const client = new WebSocket(`${scheme}://127.0.0.1:${port}${path}`, protocols, options);
  client.on('error', () => {});
  clients.push(client);
  return client;
}

async function greet(client: WebSocket, text = 'hello'): Promise<string> {
  if (client.readyState === WebSocket.CONNECTING) await once(client, 'open');
  client.send(Buffer.from(text));
  return String((await once(client, 'message'))[0]);
}

async function refusal(client: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, { statusCode?: number }];
  return response.statusCode;
}

describe('attachWebSocket', () => {
  it.each(['mqtt', 'mqttv3.1'])('hands over a stream to a client that offers the subprotocol %s', async (protocol) => {
    await open();
    const client = ws(['other', protocol]);
    expect(await greet(client)).toBe('hello');
    expect(client.protocol).toBe(protocol);
    expect((await door.visitor()).facts).toMatchObject({
      listener: 'websocket',
      transport: 'ws',
      secure: false,
      remoteAddress: '127.0.0.1',
      localPort: port,
    });
  });

  it('tells the facts of TLS below it, behind the gate of handshakes', async () => {
    const authority = await testAuthority();
    const { key, cert } = await authority.server();
    const https = createHttps({ key, cert });
    guardHandshakes(https, { name: 'https', onHandshakeFailure: door.onHandshakeFailure });
    await open({}, https as unknown as Server);
    expect(await greet(ws(['mqtt'], '/mqtt', { ca: authority.rootPem }, 'wss'))).toBe('hello');
    expect((await door.visitor()).facts).toMatchObject({ transport: 'wss', secure: true, tlsVersion: 'TLSv1.3' });
    connectTcp(port, '127.0.0.1').write('GET / HTTP/1.1\r\n\r\n');
    expect(await door.failure()).toMatchObject({ listener: 'https', problem: 'not_tls' });
  });

  it.each([[[]], [['graphql-ws']]])('refuses a client that offers the subprotocols %j', async (protocols) => {
    await open();
    expect(await refusal(ws(protocols))).toBe(400);
    expect(door.failures).toMatchObject([
      { problem: 'websocket_not_mqtt', detail: 'The WebSocket client did not offer the subprotocol "mqtt".' },
    ]);
    expect(door.visitors).toEqual([]);
  });

  it('answers 404 at another path and 503 beyond its connections', async () => {
    await open({ maximumConnections: 1 });
    expect(await refusal(ws(['mqtt'], '/elsewhere'))).toBe(404);
    const first = ws();
    await greet(first);
    expect(await refusal(ws())).toBe(503);
    expect(door.failures).toMatchObject([{ problem: 'connection_limit' }]);
    const closed = once(door, 'closed');
    first.terminate();
    await closed;
    expect(await greet(ws())).toBe('hello');
  });

  it('does not compress', async () => {
    await open();
    const client = ws(['mqtt'], '/mqtt', { perMessageDeflate: true });
    await greet(client);
    expect(client.extensions).toBe('');
  });
});

describe('websocketStream', () => {
  it('passes bytes on however they are cut into frames', async () => {
    await open();
    door.echo = false;
    const client = ws();
    await once(client, 'open');
    client.send(Buffer.from('he'));
    client.send(Buffer.from('ll'), { fin: false });
    client.send(Buffer.from('o'), { fin: true });
    const visitor = await door.visitor();
    await expect.poll(() => visitor.text()).toBe('hello');
  });

  it('ends a connection on a text frame', async () => {
    await open();
    const client = ws();
    await greet(client);
    client.send('text');
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1003);
    const visitor = await door.visitor();
    await expect.poll(() => visitor.closedTimes).toBe(1);
    expect(visitor.cause?.message).toContain('text frame');
    expect(visitor.text()).toBe('hello');
  });

  it('ends a connection on a message beyond the bound', async () => {
    await open({ maximumPayload: 1000 });
    const client = ws();
    await greet(client);
    client.send(Buffer.alloc(1001));
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1009);
    const visitor = await door.visitor();
    await expect.poll(() => visitor.closedTimes).toBe(1);
    expect(visitor.cause).toBeInstanceOf(Error);
  });

  it('sends what is buffered before it ends', async () => {
    await open();
    const client = ws();
    await greet(client);
    const visitor = await door.visitor();
    const message = once(client, 'message');
    const closed = once(client, 'close');
    visitor.stream.write(Buffer.alloc(1 << 20, 'a'));
    visitor.stream.end();
    expect(visitor.stream.write(Buffer.from('too late'))).toBe(false);
    expect(((await message)[0] as Buffer).length).toBe(1 << 20);
    expect((await closed)[0]).toBe(1000);
    await expect.poll(() => visitor.closedTimes).toBe(1);
  });

  it('answers false beyond the high-water mark and tells of the drain', async () => {
    await open();
    door.echo = false;
    const client = ws();
    await once(client, 'open');
    client.send(Buffer.from('x'));
    const { stream } = await door.visitor();
    client.pause();
    // More than the buffers of the system take.
    expect(stream.write(Buffer.alloc(64 << 20))).toBe(false);
    expect(stream.bufferedBytes).toBeGreaterThan(0);
    const drained = once(door, 'drain');
    client.resume();
    await drained;
    expect(stream.bufferedBytes).toBe(0);
  });

  it('delivers nothing while it is paused', async () => {
    await open();
    const client = ws();
    await greet(client);
    const visitor = await door.visitor();
    visitor.stream.pause();
    client.send(Buffer.from('later'));
    await greet(ws());
    expect(visitor.text()).toBe('hello');
    visitor.stream.resume();
    await expect.poll(() => visitor.text()).toBe('hellolater');
  });
});
