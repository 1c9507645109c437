import { encode } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connectPacket, identity, RawClient } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import { enter, laboratory, leave } from './laboratory.ts';

let server: TestServer;
beforeAll(async () => {
  server = await laboratory();
});
afterAll(() => server.close());

function dial(protocols: string | string[] = 'mqtt'): WebSocket {
  return new WebSocket(`wss://localhost:${server.httpPort}/mqtt`, protocols, { ca: server.rootPem });
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
}

const login = (clientId: string) => encode(connectPacket({ ...identity(server, 'lab'), clientId }, 4), 4);

describe('MQTT over WebSocket', () => {
  it('[3.1.1 MQTT-6.0.0-4] [5 MQTT-6.0.0-4] answers with the subprotocol mqtt, and [3.1.1 MQTT-6.0.0-3] [5 MQTT-6.0.0-3] refuses who does not offer it', async () => {
    const socket = dial(['other', 'mqtt']);
    await opened(socket);
    expect(socket.protocol).toBe('mqtt');
    socket.terminate();
    await expect(opened(dial('other'))).rejects.toThrow();
  });

  it('[3.1.1 MQTT-6.0.0-2] [5 MQTT-6.0.0-2] takes packets that begin and end anywhere in frames', async () => {
    const socket = dial();
    await opened(socket);
    const answers: Buffer[] = [];
    const connected = new Promise<void>((resolve) => {
      socket.on('message', (data, isBinary) => {
        expect(isBinary).toBe(true);
        answers.push(data as Buffer);
        if (Buffer.concat(answers).length >= 6) resolve();
      });
    });
    const bytes = Buffer.concat([login('framed'), Buffer.of(0xc0, 0)]);
    for (let at = 0; at < bytes.length; at += 7) socket.send(bytes.subarray(at, at + 7));
    await connected;
    expect(Buffer.concat(answers)).toEqual(Buffer.of(0x20, 2, 0, 0, 0xd0, 0));
    socket.terminate();
  });

  it('[3.1.1 MQTT-6.0.0-1] [5 MQTT-6.0.0-1] ends a connection that sends text', async () => {
    const socket = dial();
    await opened(socket);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.send(login('text'));
    socket.send('PINGREQ');
    await closed;
  });
});

describe('transports', () => {
  it('[3.1.1 MQTT-7.1.1-1, MQTT-7.0.0-2] [5 MQTT-4.2-1] TCP, TLS and WebSocket reach the same sessions and need no extension', async () => {
    const plain = await enter(server, 'over-tcp', {}, 4);
    const secure = await RawClient.open(server, 'lab', { clientId: 'over-tls' }, 4);
    await plain.subscribe('transports');
    await secure.subscribe('transports');
    const socket = dial();
    await opened(socket);
    const publish = encode(
      { type: 'publish', topic: 'transports', payload: Buffer.from('ws'), qos: 0, retain: false, dup: false },
      4,
    );
    socket.send(Buffer.concat([login('over-websocket'), publish]));
    for (const client of [plain, secure]) expect((await client.take('publish')).topic).toBe('transports');
    socket.terminate();
    await Promise.all([leave(plain), leave(secure)]);
  });
});
