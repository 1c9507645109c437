import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { Failure } from '@sallyport/model';
import { createRootAuthority, generateKeyPair, issueServerCertificate, keyPairToPem } from '@sallyport/trust';
import type { Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { connectDevice, type Device, type DeviceOptions } from '../src/connect-device.ts';
import { RefusedByServer } from '../src/link-failure.ts';
import { type Peer, type Script, scriptedServer } from './scripted-server.ts';

/*
 * What a program hears, and whether it tries again, for everything that a server can do.
 */

const ME = { host: 'localhost', organisation: 'demo', type: 'pump', id: 'pump-7', token: 'Quiet-River+42' };
const BACKOFF = { first: 100, longest: 100 };
const HOUR = 3_600_000;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function connected(to: { port: number; ca: string }, more: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await connectDevice({ ...ME, port: to.port, ca: to.ca, backoff: BACKOFF, ...more });
  opened.push(device);
  return device;
}
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it succeeded'),
    (failure: unknown) => failure as Failure,
  );
const scripted = async (script: Script) => {
  const server = await scriptedServer(script);
  opened.push(server);
  return server;
};
const connack = (reasonCode: number): Packet => ({
  cmd: 'connack',
  sessionPresent: false,
  reasonCode,
  returnCode: reasonCode,
});

/** A server below MQTT; `greet` is what it does with a connection. */
async function bare(greet: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket.on('error', () => {}));
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  opened.push({
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  const root = await createRootAuthority({ commonName: 'Root', now: Date.now(), validity: HOUR });
  return { port: (server.address() as AddressInfo).port, ca: root.pem, connections: () => connections };
}

/** A server of TLS with a certificate that is wrong in one way. */
async function withCertificate(wrong: { issuedAt?: number; dnsNames?: string[]; foreign?: boolean }) {
  const now = Date.now();
  const made = () => createRootAuthority({ commonName: 'Root', now: now - 1000 * HOUR, validity: 2000 * HOUR });
  const [authority, other] = await Promise.all([made(), made()]);
  const keys = await generateKeyPair();
  const { issuedAt = now, dnsNames = ['localhost'], foreign = false } = wrong;
  const { chainPem } = await issueServerCertificate({
    ...{ authority, publicKey: keys.publicKey, now: issuedAt, dnsNames, validity: HOUR },
  });
  const seen: Buffer[] = [];
  const server = createTls({ key: await keyPairToPem(keys), cert: chainPem }, (socket) => {
    socket.on('error', () => {}).on('data', (chunk) => seen.push(chunk));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  opened.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  return { port: (server.address() as AddressInfo).port, ca: (foreign ? other : authority).pem, seen };
}

describe('a server to which no connection comes about', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    ['hangs before its handshake', () => {}, 'server_unreachable'],
    ['vanishes in its handshake', (socket) => socket.once('data', () => socket.destroy()), 'connection_'],
    ['speaks no TLS', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'server_unreachable'],
  ])('is named when it %s, after one attempt', async (_, greet, code) => {
    const server = await bare(greet);
    const failure = await failureOf(connected(server, { connectTimeout: 1_000 }));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.code).toContain(code);
    expect(failure.cure).not.toBe('');
    expect(server.connections()).toBe(1);
  });

  it.each<[string, Parameters<typeof withCertificate>[0], string]>([
    ['has expired', { issuedAt: Date.now() - 500 * HOUR }, 'expired'],
    ['is not valid yet', { issuedAt: Date.now() + 500 * HOUR }, 'not valid yet'],
    ['is for another host', { dnsNames: ['elsewhere.example'] }, 'another host name'],
    ['leads to another root', { foreign: true }, 'not one that this client trusts'],
  ])('gets not a byte when its certificate %s, and is named', async (_, wrong, words) => {
    const server = await withCertificate(wrong);
    const failure = await failureOf(connected(server));
    expect(failure).toMatchObject({ code: 'server_not_trusted', message: expect.stringContaining(words) });
    expect([failure.cure === '', server.seen]).toEqual([false, []]);
  });

  it('is waited for as long as was said when it answers nothing after its handshake', async () => {
    const server = await scripted(() => {});
    const failure = await failureOf(connected(server, { connectTimeout: 1_000 }));
    expect(failure).toMatchObject({ code: 'server_unreachable', message: expect.stringContaining('in time') });
    expect(server.connections()).toBe(1);
  });

  it('is not waited for longer than a signal allows', async () => {
    const server = await scripted(() => {});
    const failure = failureOf(connected(server, { signal: AbortSignal.timeout(200) }));
    expect(await failure).toMatchObject({ name: 'TimeoutError' });
  });

  it.each<[string, (peer: Peer) => void]>([
    ['no packet', (peer) => peer.raw(Buffer.from('ffffffffffff', 'hex'))],
    ['a CONNACK of wrong flags', (peer) => peer.raw(Buffer.from('2f03000000', 'hex'))],
    ['a CONNACK that is cut short, and goes', (peer) => peer.raw(Buffer.from('2003', 'hex')).drop()],
    ['a length without end', (peer) => peer.raw(Buffer.from('20ffffffffff', 'hex'))],
  ])('is named when it answers CONNECT with %s', async (_, answer) => {
    const server = await scripted((packet, peer) => {
      if (packet.cmd === 'connect') answer(peer);
    });
    const failure = await failureOf(connected(server, { connectTimeout: 5_000 }));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.code).toMatch(/^connection_/);
    expect(server.connections()).toBe(1);
  });
});

/** Reason codes of CONNACK (MQTT 5 table 3-1), and whether another attempt makes sense. */
const CODES: readonly (readonly [number, 'later' | 'never'])[] = [
  [0x80, 'later'],
  [0x81, 'never'],
  [0x82, 'never'],
  [0x83, 'later'],
  [0x84, 'never'],
  [0x85, 'never'],
  [0x86, 'never'],
  [0x87, 'never'],
  [0x88, 'later'],
  [0x89, 'later'],
  [0x8a, 'never'],
  [0x8c, 'never'],
  [0x90, 'never'],
  [0x95, 'never'],
  [0x97, 'later'],
  [0x99, 'never'],
  [0x9a, 'never'],
  [0x9b, 'never'],
  [0x9c, 'never'],
  [0x9d, 'never'],
  [0x9f, 'later'],
];

describe.each(CODES)('CONNACK 0x%x', (code, again) => {
  it('fails the first attempt, with its name and a cure', async () => {
    const server = await scripted((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(connack(code));
    });
    const failure = await failureOf(connected(server));
    expect(failure).toBeInstanceOf(RefusedByServer);
    expect(failure).toMatchObject({ code: 'connection_refused', reasonCode: code });
    expect(failure.message).not.toMatch(/reason code \d/);
    expect(failure.cure).not.toBe('');
    expect(server.connections()).toBe(1);
  });

  it(`is tried again ${again} after a break`, async () => {
    const server = await scripted((packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(connack(connection === 2 ? code : 0));
      if (packet.cmd === 'publish') peer.drop();
    });
    const device = await connected(server);
    const online = new Promise((resolve) => device.on('online', () => resolve('online')));
    device.publishEvent('status', 1, { qos: 0 }).catch(() => {});
    const end = await Promise.race([online, device.closed]);
    if (again === 'later') expect(end).toBe('online');
    else expect(end).toMatchObject({ code: 'connection_refused', reasonCode: code });
    expect(server.connections()).toBe(again === 'later' ? 3 : 2);
  });
});

describe.each([1, 2, 3, 4, 5])('CONNACK %i of MQTT 3.1.1', (code) => {
  it('fails the first attempt by its name', async () => {
    const server = await scripted((packet, peer) => {
      if (packet.cmd === 'connect') peer.raw(Buffer.from([0x20, 2, 0, code]));
    });
    const failure = await failureOf(connected(server, { protocolVersion: 4 }));
    expect(failure).toMatchObject({ code: 'connection_refused', reasonCode: code });
    expect(failure.message).not.toMatch(/reason code \d/);
  });
});

describe('a server that misbehaves in a session', () => {
  /** Accepts, and does something when the first event comes; acknowledges later ones. */
  const after = (misdeed: (peer: Peer, packet: Packet) => void): Script => {
    let done = false;
    return (packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(connack(0));
      if (packet.cmd === 'pingreq' && connection > 1) peer.send({ cmd: 'pingresp' });
      if (packet.cmd !== 'publish') return;
      if (!done) {
        done = true;
        misdeed(peer, packet);
      } else peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
    };
  };

  it.each<[string, (peer: Peer, packet: Packet) => void]>([
    ['vanishes', (peer) => peer.drop()],
    ['sends no packet', (peer) => peer.raw(Buffer.from('ffffffffffff', 'hex'))],
    ['sends CONNACK again', (peer) => peer.send(connack(0))],
    ['wants a proof that nobody offered', (peer) => peer.raw(Buffer.from('f0021800', 'hex'))],
    ['says 0x8b and goes', (peer) => peer.send({ cmd: 'disconnect', reasonCode: 0x8b })],
    ['says 0x87 and does not go', (peer) => peer.send({ cmd: 'disconnect', reasonCode: 0x87 })],
    ['says 0x98', (peer) => peer.send({ cmd: 'disconnect', reasonCode: 0x98 })],
    ['answers no sign of life', () => {}],
  ])('is left and met again when it %s, and the event arrives', async (_, misdeed) => {
    const server = await scripted(after(misdeed));
    const device = await connected(server, { keepAlive: 1 });
    await device.publishEvent('status', { important: true });
    expect(server.connections()).toBe(2);
  });

  it('is not waited for by an event that may give up', async () => {
    const server = await scripted(after(() => {}));
    const device = await connected(server);
    const failure = await failureOf(device.publishEvent('status', 1, { signal: AbortSignal.timeout(100) }));
    expect(failure).toMatchObject({ name: 'TimeoutError' });
  });

  it('is met again with growing pauses while it is away, and does not keep the program from ending', async () => {
    const server = await scriptedServer(after((peer) => peer.drop()));
    const device = await connectDevice({ ...ME, port: server.port, ca: server.ca, backoff: BACKOFF });
    const problems: Failure[] = [];
    const three = new Promise<void>((resolve) =>
      device.on('problem', (problem) => {
        if (problems.push(problem) === 3) resolve();
      }),
    );
    await server.close();
    await three;
    for (const { code, cure } of problems) expect([code, cure === '']).toEqual(['server_unreachable', false]);
    await device.close();
    expect(await device.closed).toBeUndefined();
  });
});

describe('a server that sends more than is taken', () => {
  const large = { cmd: 'publish', topic: 'iot-2/cmd/blink/fmt/bin', qos: 0, dup: false, retain: false } as const;
  const sending = (payload: Buffer) =>
    scripted((packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(connack(0));
      if (packet.cmd !== 'subscribe') return;
      peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] });
      if (connection === 1) peer.send({ ...large, payload });
    });

  it.each([4, 5] as const)('is left before the packet is read, and met again; MQTT %s', async (protocolVersion) => {
    const server = await sending(Buffer.alloc(2_000));
    const device = await connected(server, { protocolVersion, maximumPacketSize: 1_000 });
    const problems: Failure[] = [];
    const heard: unknown[] = [];
    device.on('problem', (problem) => problems.push(problem));
    const again = new Promise<void>((resolve) => device.on('online', () => resolve()));
    await device.onCommand('+', (command) => heard.push(command)).catch(() => {});
    await again;
    expect(problems.map(({ code }) => code)).toContain('server_packet_too_large');
    expect(problems.find(({ code }) => code === 'server_packet_too_large')?.cure).toMatch(/maximumPacketSize/);
    expect(heard).toEqual([]);
  });

  it('is judged by the length that it declares, with none of its bytes', async () => {
    // A PUBLISH of 256 MB, of which nothing comes.
    const server = await scripted((packet, peer) => {
      if (packet.cmd === 'connect') peer.raw(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
    });
    expect((await failureOf(connected(server))).code).toBe('server_packet_too_large');
  });

  it('is told by MQTT 5 how much is taken, and is heard up to that', async () => {
    const told: unknown[] = [];
    const server = await scripted((packet, peer) => {
      if (packet.cmd === 'connect') {
        told.push(packet.properties?.maximumPacketSize);
        peer.send(connack(0));
      }
      if (packet.cmd !== 'subscribe') return;
      peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] });
      const overhead = 1 + 2 + 2 + large.topic.length + 1;
      peer.send({ ...large, payload: Buffer.alloc(1_000 - overhead) });
      peer.send({ ...large, topic: 'iot-2/cmd/blink/fmt/bin', payload: Buffer.from('next') });
    });
    const device = await connected(server, { maximumPacketSize: 1_000 });
    const lengths: number[] = [];
    await new Promise<void>((resolve) => {
      void device.onCommand<Uint8Array>('blink', ({ payload }) => {
        lengths.push(payload.length);
        if (lengths.length === 2) resolve();
      });
    });
    expect(told).toEqual([1_000]);
    expect(lengths[1]).toBe(4);
    await device.close();
    await connected(server);
    expect(told).toEqual([1_000, 1_048_576]);
  });

  it.each([0, -1, 1.5, Number.NaN, 1e12])('cannot be bounded by %s', async (maximumPacketSize) => {
    const server = await sending(Buffer.alloc(1));
    expect(await failureOf(connected(server, { maximumPacketSize }))).toMatchObject({ code: 'invalid_request' });
    expect(server.connections()).toBe(0);
  });
});
