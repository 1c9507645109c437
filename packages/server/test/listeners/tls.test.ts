import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TlsListener, TlsListenerOptions } from '../../src/listeners/listener-options.ts';
import { listenTls } from '../../src/listeners/tls.ts';
import { type TestAuthority, testAuthority } from './certificates.ts';
import { Doorkeeper } from './doorkeeper.ts';

const CONNECT = Buffer.from('101000044d5154540502003c000004746573740000', 'hex');
const DAY = 24 * 60 * 60_000;

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('openssl is not on this machine: its alerts are not tried');

let authority: TestAuthority;
let door: Doorkeeper;
let listener: TlsListener;
const sockets: Socket[] = [];

beforeAll(async () => {
  authority = await testAuthority();
});
beforeEach(() => {
  door = new Doorkeeper();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener?.close();
});

async function open(options: Partial<TlsListenerOptions> = {}): Promise<TlsListener> {
  listener = await listenTls({
    name: 'mqtt-tls',
    address: '127.0.0.1',
    port: 0,
    credentials: await authority.server(),
    accept: door.accept,
    onHandshakeFailure: door.onHandshakeFailure,
    ...options,
  });
  return listener;
}

function tcp(): Socket {
  const socket = connectTcp(listener.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

function tls(options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ port: listener.port, host: '127.0.0.1', ca: authority.rootPem, ...options });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** Sends a word and waits for its echo. */
async function greet(socket: Socket): Promise<string> {
  socket.write('hello');
  return String((await once(socket, 'data'))[0]);
}

describe('listenTls', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'hands over a stream and what the %s handshake has shown',
    async (version) => {
      await open();
      expect(await greet(tls({ maxVersion: version, minVersion: version, servername: 'Demo.Messaging.Example' }))).toBe(
        'hello',
      );
      const { facts } = await door.visitor();
      expect(facts).toMatchObject({
        listener: 'mqtt-tls',
        transport: 'tls',
        secure: true,
        remoteAddress: '127.0.0.1',
        localPort: listener.port,
        tlsVersion: version,
        serverName: 'demo.messaging.example',
      });
      expect(facts.cipher).toMatch(/GCM|POLY1305/);
      expect(facts.certificate).toBeUndefined();
      expect(door.failures).toEqual([]);
    },
  );

  it('unmaps IPv4 addresses met on a socket for both families', async () => {
    await open({ address: '::' });
    await greet(tls());
    expect((await door.visitor()).facts.remoteAddress).toBe('127.0.0.1');
  });

  it('puts a ClientHello together that comes byte by byte', async () => {
    await open();
    const outer = createServer((incoming) => {
      const onward = tcp();
      onward.setNoDelay(true);
      onward.pipe(incoming);
      incoming.on('error', () => {});
      incoming.on('data', (chunk: Buffer) => {
        for (const byte of chunk) onward.write(Buffer.of(byte));
      });
    });
    outer.listen(0, '127.0.0.1');
    await once(outer, 'listening');
    expect(await greet(tls({ port: (outer.address() as AddressInfo).port }))).toBe('hello');
    outer.close();
  });

  it('agrees on the application protocol "mqtt", needs none, and refuses others', async () => {
    await open();
    const asking = tls({ ALPNProtocols: ['mqtt'] });
    await greet(asking);
    expect(asking.alpnProtocol).toBe('mqtt');
    tls({ ALPNProtocols: ['h2'] });
    expect(await door.failure()).toMatchObject({ problem: 'no_shared_application_protocol' });
  });

  it('takes new credentials without ending what runs', async () => {
    await open();
    const before = tls();
    await greet(before);
    const first = before.getPeerCertificate().fingerprint256;
    listener.setCredentials(await authority.server());
    const after = tls();
    await greet(after);
    expect(after.getPeerCertificate().fingerprint256).not.toBe(first);
    expect(await greet(before)).toBe('hello');
  });

  it('lets a client resume each time that uses every ticket once, until the credentials change', async () => {
    await open();
    let session: Buffer | undefined;
    const resumed: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      if (i === 4) listener.setCredentials(await authority.server());
      const socket = tls({ minVersion: 'TLSv1.3', ...(session ? { session } : {}) });
      const ticket = once(socket, 'session');
      await greet(socket);
      resumed.push(socket.isSessionReused());
      [session] = (await ticket) as [Buffer];
      socket.destroy();
    }
    expect(resumed).toEqual([false, true, true, true, false]);
  });

  it('shows a client certificate, also after resumption', async () => {
    await open({ requestCertificate: true });
    const client = await authority.client('d:pump:pump-7');
    const first = tls(client);
    const ticket = once(first, 'session');
    await greet(first);
    const { facts } = await door.visitor();
    expect(facts.certificate?.length).toBeGreaterThan(100);
    const [session] = (await ticket) as [Buffer];
    const second = tls({ ...client, session });
    await greet(second);
    expect(second.isSessionReused()).toBe(true);
    expect(door.visitors.at(-1)?.facts).toMatchObject({ resumed: true, certificate: facts.certificate });
  });

  it('lets clients through to be judged: without a certificate, with an expired one, and with one of a stranger', async () => {
    await open({ requestCertificate: true });
    await greet(tls());
    expect((await door.visitor()).facts.certificate).toBeUndefined();
    await greet(tls(await authority.client('d:pump:p', Date.now() - 5 * DAY, DAY)));
    expect(door.visitors.at(-1)?.facts.certificate).toBeDefined();
    await greet(tls(await (await testAuthority()).client('d:pump:p')));
    expect(door.visitors.at(-1)?.facts.certificate).toBeDefined();
  });
});

describe('a handshake that fails is explained', () => {
  it('plain MQTT on the TLS port', async () => {
    await open();
    const socket = tcp();
    socket.write(CONNECT);
    expect(await door.failure()).toEqual({
      listener: 'mqtt-tls',
      remoteAddress: '127.0.0.1',
      remotePort: socket.localPort,
      problem: 'plain_mqtt_on_tls_port',
      detail: 'The client spoke plain MQTT to a TLS port.',
    });
    expect(door.visitors).toEqual([]);
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 'The client spoke plain HTTP to a TLS port.'],
    ['\0\0\0\0 nonsense', 'The client spoke something other than TLS to a TLS port.'],
  ])('%j on the TLS port', async (text, detail) => {
    await open();
    tcp().write(text);
    expect(await door.failure()).toMatchObject({ problem: 'not_tls', detail });
  });

  it('TLS 1.1', async () => {
    await open();
    tls({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0', servername: 'old.example' });
    expect(await door.failure()).toMatchObject({
      problem: 'tls_version_too_old',
      tlsVersion: 'TLSv1.1',
      serverName: 'old.example',
    });
  });

  it('TLS 1.2 where 1.3 is demanded', async () => {
    await open({ minimumTlsVersion: 'TLSv1.3' });
    tls({ maxVersion: 'TLSv1.2' });
    expect(await door.failure()).toMatchObject({ problem: 'tls_version_too_old', tlsVersion: 'TLSv1.2' });
  });

  it.each([
    'ECDHE-ECDSA-AES128-SHA',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
    'AES128-GCM-SHA256',
    'AES128-SHA',
  ])('the suite %s', async (ciphers) => {
    await open();
    tls({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
    expect(await door.failure()).toMatchObject({ problem: 'no_shared_cipher' });
    expect(door.visitors).toEqual([]);
  });

  it('a client that offers only 3DES', async () => {
    await open();
    // A ClientHello of TLS 1.2 with TLS_RSA_WITH_3DES_EDE_CBC_SHA; today's libraries cannot be made to send it.
    const hello = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32, 7), Buffer.from([0, 0, 2, 0, 0x0a, 1, 0])]);
    const message = Buffer.concat([Buffer.from([1, 0, 0, hello.length]), hello]);
    tcp().write(Buffer.concat([Buffer.from([0x16, 3, 1, 0, message.length]), message]));
    expect(await door.failure()).toMatchObject({ problem: 'no_shared_cipher', tlsVersion: 'TLSv1.2' });
  });

  it.skipIf(!hasOpenssl).each(['-tls1_2', '-tls1_3'])(
    'openssl that does not trust the server, with %s',
    async (version) => {
      await open();
      const client = spawn('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${listener.port}`,
        version,
        '-verify_return_error',
      ]);
      expect(await door.failure()).toMatchObject({ problem: 'server_certificate_rejected' });
      client.kill();
    },
  );

  it('an alert about the certificate', async () => {
    await open();
    const socket = tcp();
    socket.write(clientHelloOf12());
    await once(socket, 'data');
    socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 48]));
    expect(await door.failure()).toMatchObject({
      problem: 'server_certificate_rejected',
      detail: expect.stringContaining("rejected the server's certificate"),
    });
  });

  it('nonsense after a good beginning', async () => {
    await open();
    tcp().write(Buffer.concat([Buffer.from([0x16, 3, 1, 0, 16]), Buffer.alloc(16, 0xff)]));
    expect(await door.failure()).toMatchObject({
      problem: 'handshake_malformed',
      detail: expect.stringContaining('ERR_SSL'),
    });
  });
});

/** TLS 1.2, one acceptable suite, P-256, ECDSA with SHA-256. */
function clientHelloOf12(): Buffer {
  const extensions = Buffer.from('000a00040002001700 0b00020100 000d000400020403'.replaceAll(' ', ''), 'hex');
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions.length]),
    extensions,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]);
  return Buffer.concat([Buffer.from([0x16, 3, 1, 0, message.length]), message]);
}

describe('bounds on strangers', () => {
  it('ends a handshake that says nothing, and one that stops, at the deadline', async () => {
    await open({ handshakeTimeout: 50 });
    const silent = tcp();
    await once(silent, 'close');
    expect(door.failures).toMatchObject([
      { problem: 'handshake_timeout', detail: 'The client sent nothing within 0.05 s.' },
    ]);
    const slow = tcp();
    slow.write(clientHelloOf12().subarray(0, 20));
    await once(slow, 'close');
    expect(door.failures[1]).toMatchObject({
      problem: 'handshake_timeout',
      detail: 'The client began a handshake and did not finish it within 0.05 s.',
    });
  });

  it('reports a client that leaves within the handshake, not one that only looked', async () => {
    await open();
    const looked = tcp();
    await once(looked, 'connect');
    looked.end();
    await once(looked, 'close');
    const left = tcp();
    left.write(clientHelloOf12().subarray(0, 20));
    left.end();
    expect(await door.failure()).toMatchObject({ problem: 'handshake_abandoned', remotePort: left.localPort });
    expect(door.failures).toHaveLength(1);
  });

  it('holds unfinished handshakes to their number and lets others in again when they end', async () => {
    await open({ maximumHandshakes: 2 });
    const silent = [tcp(), tcp()];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await once(tcp(), 'close');
    expect(door.failures).toMatchObject([
      { problem: 'too_many_handshakes', detail: expect.stringContaining('2 handshakes are') },
    ]);
    silent[0]?.destroy();
    await expect.poll(() => greet(tls()).catch(() => '')).toBe('hello');
  });

  it('holds one address to its own number', async () => {
    await open({ maximumHandshakesPerAddress: 1 });
    await once(tcp(), 'connect');
    await once(tcp(), 'close');
    expect(door.failures).toMatchObject([
      { problem: 'too_many_handshakes', detail: expect.stringContaining('this address') },
    ]);
  });

  it('does not count finished handshakes as unfinished', async () => {
    await open({ maximumHandshakes: 1, maximumHandshakesPerAddress: 1 });
    for (let i = 0; i < 3; i++) expect(await greet(tls())).toBe('hello');
    expect(door.failures).toEqual([]);
  });

  it('holds connections to their number and lets others in again when they end', async () => {
    await open({ maximumConnections: 1 });
    const first = tls();
    await greet(first);
    await once(tcp(), 'close');
    expect(door.failures).toMatchObject([{ problem: 'connection_limit' }]);
    const gone = once(door, 'closed');
    first.destroy();
    await gone;
    expect(await greet(tls())).toBe('hello');
  });

  it('closes its port and unfinished handshakes, and leaves streams to their receiver', async () => {
    await open();
    const running = tls();
    await greet(running);
    const silent = tcp();
    await once(silent, 'connect');
    const ended = once(silent, 'close');
    await listener.close();
    await ended;
    expect(await greet(running)).toBe('hello');
    const [error] = (await once(tcp(), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await listener.close();
  });

  it('says which port is taken and what to change', async () => {
    await open();
    const { port } = listener;
    const second = listenTls({
      name: 'mqtt-tls',
      address: '127.0.0.1',
      port,
      credentials: await authority.server(),
      accept: door.accept,
      onHandshakeFailure: door.onHandshakeFailure,
    });
    await expect(second).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`port ${port}`),
      cure: expect.stringContaining('--mqtt-port'),
    });
  });

  it('says that an address is not of this machine', async () => {
    await expect(open({ address: '192.0.2.1' })).rejects.toMatchObject({
      code: 'address_unavailable',
      message: expect.stringContaining('192.0.2.1'),
    });
  });
});
