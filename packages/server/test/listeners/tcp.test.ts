import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Listener, TcpListenerOptions } from '../../src/listeners/listener-options.ts';
import { listenTcp } from '../../src/listeners/tcp.ts';
import { Doorkeeper } from './doorkeeper.ts';

let door: Doorkeeper;
let listener: Listener;
const sockets: Socket[] = [];

beforeEach(() => {
  door = new Doorkeeper();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener.close();
});

async function open(options: Partial<TcpListenerOptions> = {}): Promise<void> {
  listener = await listenTcp({
    name: 'mqtt-plain',
    address: '127.0.0.1',
    port: 0,
    accept: door.accept,
    onHandshakeFailure: door.onHandshakeFailure,
    ...options,
  });
}

function tcp(allowHalfOpen = false): Socket {
  const socket = connectTcp({ port: listener.port, host: '127.0.0.1', allowHalfOpen });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function greet(socket: Socket): Promise<string> {
  socket.write('hello');
  return String((await once(socket, 'data'))[0]);
}

describe('listenTcp', () => {
  it('hands over a stream with its first bytes and says that it is not secure', async () => {
    await open();
    expect(await greet(tcp())).toBe('hello');
    expect((await door.visitor()).facts).toEqual({
      listener: 'mqtt-plain',
      transport: 'tcp',
      secure: false,
      remoteAddress: '127.0.0.1',
      remotePort: sockets[0]?.localPort,
      localPort: listener.port,
    });
  });

  it('recognises TLS on the plain port', async () => {
    await open();
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', servername: 'broker.example' });
    socket.on('error', () => {});
    sockets.push(socket);
    expect(await door.failure()).toMatchObject({
      problem: 'tls_on_plain_port',
      detail: 'The client spoke TLS to a port without TLS.',
      serverName: 'broker.example',
      tlsVersion: 'TLSv1.3',
    });
    expect(door.visitors).toEqual([]);
  });

  it('bounds connections that say nothing', async () => {
    await open({ handshakeTimeout: 50, maximumHandshakes: 1 });
    const silent = tcp();
    await once(silent, 'connect');
    await once(tcp(), 'close');
    await once(silent, 'close');
    expect(door.failures.map(({ problem }) => problem)).toEqual(['too_many_handshakes', 'handshake_timeout']);
  });
});

describe('socketStream', () => {
  it('answers false beyond the high-water mark, counts what waits, and tells of the drain', async () => {
    await open();
    door.echo = false;
    const socket = tcp();
    socket.write('x');
    const { stream } = await door.visitor();
    socket.pause();
    // More than the buffers of the system take.
    const written = 64 << 20;
    expect(stream.write(Buffer.alloc(written))).toBe(false);
    expect(stream.bufferedBytes).toBeGreaterThan(0);
    const drained = once(door, 'drain');
    let received = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received === written) resolve();
      });
    });
    socket.resume();
    await drained;
    expect(stream.bufferedBytes).toBe(0);
    await all;
  });

  it('delivers nothing while it is paused', async () => {
    await open();
    const socket = tcp();
    await greet(socket);
    const visitor = await door.visitor();
    visitor.stream.pause();
    socket.write('later');
    await greet(tcp());
    expect(visitor.text()).toBe('hello');
    const more = once(door, 'data');
    visitor.stream.resume();
    await more;
    expect(visitor.text()).toBe('hellolater');
  });

  it('sends what is buffered before it ends and hears nothing afterwards', async () => {
    await open();
    const socket = tcp(true);
    await greet(socket);
    const visitor = await door.visitor();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    visitor.stream.write(Buffer.alloc(1 << 20, 'a'));
    visitor.stream.end();
    visitor.stream.end();
    expect(visitor.stream.write(Buffer.from('too late'))).toBe(false);
    socket.write('anybody there?');
    await once(socket, 'end');
    expect(Buffer.concat(chunks)).toHaveLength(1 << 20);
    const closed = once(door, 'closed');
    socket.end();
    await closed;
    expect(visitor.text()).toBe('hello');
    expect(visitor.closedTimes).toBe(1);
  });

  it.each([
    ['the peer ends', (socket: Socket) => socket.end()],
    ['the peer resets', (socket: Socket) => socket.resetAndDestroy()],
    ['it is destroyed here', undefined],
  ])('tells exactly once that it has closed when %s', async (_, leave) => {
    await open();
    const socket = tcp();
    await greet(socket);
    const visitor = await door.visitor();
    const closed = once(door, 'closed');
    if (leave) leave(socket);
    else visitor.stream.destroy();
    await closed;
    visitor.stream.destroy();
    visitor.stream.end();
    visitor.stream.write(Buffer.from('x'));
    await greet(tcp());
    expect(visitor.closedTimes).toBe(1);
  });
});
