import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import {
  type ConnAck,
  type Connect,
  Decoder,
  encode,
  type Packet,
  type PacketType,
  type ProtocolVersion,
  type Publish,
  publishFromFrame,
  type Subscribe,
} from '@sallyport/mqtt';
import type { TestServer } from '../server.ts';

export type Login = Partial<Omit<Connect, 'type' | 'protocolVersion'>>;
type PublishOptions = Partial<Omit<Publish, 'type' | 'topic' | 'payload'>>;
type SubscribeOptions = Partial<Subscribe['subscriptions'][number]>;

/** Where a connection comes from. */
export interface From {
  /** An address of this machine, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** Bytes before all others: the PROXY protocol. */
  readonly header?: Uint8Array;
  /** What it presents in its handshake, in PEM. */
  readonly pair?: { readonly key?: string; readonly cert?: string };
}

/** Between two workers a message is on its way when its publisher has been answered; in one process it is not. Milliseconds. */
const CROSSING = Number(process.env.SALLYPORT_TEST_WORKERS ?? 1) > 1 ? 100 : 0;

/** Both versions that clients speak today, for tables. */
export const VERSIONS = [4, 5] as const;

/** A client without manners: it sends whatever it is told to, and shows every packet that comes back. */
export class RawClient {
  readonly version: ProtocolVersion;
  readonly socket: Socket;
  /** What came and was not taken. */
  packets: Packet[] = [];
  closed = false;
  /** Resolves when the connection has ended, however it did. */
  readonly gone: Promise<void>;
  #wake: () => void = () => {};

  private constructor(socket: Socket, version: ProtocolVersion) {
    this.socket = socket;
    this.version = version;
    const decoder = new Decoder({ maximumPacketSize: 268_435_455, from: 'server', version });
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk, {
        publish: (frame) => this.packets.push(publishFromFrame(frame)),
        packet: (packet) => this.packets.push(packet),
      });
      this.#wake();
    });
    socket.on('error', () => {});
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        this.closed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Opens a connection and says nothing; with `from` out of another address of this machine, or behind a header of a proxy. */
  static async dial(
    server: TestServer,
    version: ProtocolVersion = 5,
    plain = false,
    { localAddress, header, pair }: From = {},
  ): Promise<RawClient> {
    const { host: name, rootPem: ca } = server;
    const host = localAddress === undefined ? name : '127.0.0.1';
    const under = {
      host,
      port: plain ? server.plainPort : server.port,
      ...(localAddress === undefined ? {} : { localAddress }),
    };
    let socket: Socket;
    if (header === undefined)
      socket = plain ? connectTcp(under) : connectTls({ ...under, servername: name, ca, ...pair });
    else {
      const tcp = connectTcp(under);
      tcp.on('error', () => {});
      tcp.write(header);
      socket = plain ? tcp : connectTls({ socket: tcp, servername: name, ca });
    }
    await new Promise<void>((resolve, reject) => {
      socket.once(plain ? 'connect' : 'secureConnect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket, version);
  }

  /** Logs in, and answers the code of CONNACK. */
  static async login(server: TestServer, login: Login, version: ProtocolVersion = 5, from: From = {}) {
    const client = await RawClient.dial(server, version, false, from);
    return { client, code: (await client.connect(login)).reasonCode };
  }

  /** A client that is in: throws if it was refused. */
  static async open(server: TestServer, who: string, more: Login = {}, version: ProtocolVersion = 5, from: From = {}) {
    const { client, code } = await RawClient.login(server, { ...identity(server, who), ...more }, version, from);
    if (code !== 0) throw new Error(`${who} was refused with ${code}`);
    return client;
  }

  connect(login: Login): Promise<ConnAck> {
    this.send(connectPacket(login, this.version));
    return this.take('connack');
  }

  send(...packets: Packet[]): void {
    this.raw(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }

  raw(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  publish(topic: string, payload = 'x', options: PublishOptions = {}): void {
    const { qos = 0, packetId = 1, ...rest } = options;
    const base = { type: 'publish', topic, payload: Buffer.from(payload), qos, retain: false, dup: false } as const;
    this.send({ ...base, ...rest, ...(qos > 0 ? { packetId } : {}) });
  }

  /** The code of SUBACK; `closed` if the server ended the connection instead. */
  async subscribe(filter: string, options: SubscribeOptions = {}): Promise<number | 'closed'> {
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
    const flags = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
    const head = this.version === 5 ? [0, 1, 0] : [0, 1];
    this.raw(packetBytes(0x82, Buffer.from(head), field(filter), Buffer.of(flags)));
    const answer = await this.takeOrEnd('suback');
    return answer === undefined ? 'closed' : (answer.reasonCodes[0] ?? -1);
  }

  /** The next packet of the type. Throws if the connection ends before. */
  async take<T extends PacketType>(type: T): Promise<Extract<Packet, { type: T }>> {
    const packet = await this.takeOrEnd(type);
    if (packet === undefined) throw new Error(`the connection ended before ${type}`);
    return packet;
  }

  async takeOrEnd<T extends PacketType>(type: T): Promise<Extract<Packet, { type: T }> | undefined> {
    for (;;) {
      const at = this.packets.findIndex((packet) => packet.type === type);
      if (at >= 0) return this.packets.splice(at, 1)[0] as Extract<Packet, { type: T }>;
      if (this.closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Returns when the server has worked off what was sent before; false if it ended the connection. */
  async settled(): Promise<boolean> {
    if (this.closed) return false;
    this.send({ type: 'pingreq' });
    return (await this.takeOrEnd('pingresp')) !== undefined;
  }

  /** Everything that was published to this client up to now, as `topic payload`, and takes it. */
  async heard(): Promise<string[]> {
    await this.settled();
    if (CROSSING > 0) await pause(CROSSING);
    const found = this.packets.filter((packet): packet is Publish => packet.type === 'publish');
    this.packets = this.packets.filter((packet) => packet.type !== 'publish');
    return found.map(({ topic, payload }) => `${topic} ${Buffer.from(payload).toString()}`);
  }

  /** Vanishes without DISCONNECT, so that the will is due. */
  vanish(): Promise<void> {
    this.socket.destroy();
    return this.gone;
  }
}

/** A packet by hand: its parts behind a fixed header, whether that makes sense or not. */
export function packetBytes(firstByte: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.of(firstByte, ...length), body]);
}

/** A length of two bytes and the text, whatever is in it. */
export function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

export function connectPacket(login: Login, protocolVersion: ProtocolVersion): Connect {
  return { type: 'connect', protocolVersion, cleanStart: true, keepAlive: 60, clientId: '', ...login };
}

/** What a principal of the test server logs in with: `pump-7`, `hub-1`, `desk`, `other/desk`, … */
export function identity(server: TestServer, who: string): Login & { clientId: string } {
  const [id = '', organisation = 'demo'] = who.split('/').reverse();
  const password = Buffer.from(server.tokens[who] ?? '');
  const key = server.keys[who];
  if (key !== undefined) return { clientId: `a:${organisation}:${id}`, username: key, password };
  const kind = id.startsWith('hub') ? `g:${organisation}:hub` : `d:${organisation}:pump`;
  return { clientId: `${kind}:${id}`, username: 'use-token-auth', password };
}

/** Lets `application:demo/lab` do everything with any client id: the broadest policy that an organisation may choose. */
export const LABORATORY = policy(
  { principals: ['application:demo/lab'], actions: ['connect'], resources: ['*'] },
  { principals: ['application:demo/lab'], actions: ['publish', 'subscribe', 'receive'], resources: ['#'] },
);

/** The text of a policy with these statements. */
export function policy(...statements: readonly object[]): string {
  const whole = statements.map((statement, index) => ({ id: `test.${index}`, effect: 'permit', ...statement }));
  return JSON.stringify({ statements: whole });
}
