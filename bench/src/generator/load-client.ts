import net from 'node:net';
import tls from 'node:tls';
import { decodeProperties, encode } from '@sallyport/mqtt';
import type { Exchange, Identity } from '../identity.ts';
import { Frames } from './frames.ts';

/** Where a peer listens, and the certificate that its TLS listener is checked against. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM; empty for plain. */
  readonly certificate: string;
}

const CONNACK = 0x20;
const SUBACK = 0x90;
const AUTH = 0xf0;
/** AUTH and CONNECT say it with this (MQTT 5 section 3.15.2.1). */
const CONTINUE = 0x18;
const PATIENCE = 30_000;

/** A socket that gives each chunk to `onBytes`; plain ones read into one buffer over and over. */
function open(target: Target, { pair }: Identity, onBytes: (bytes: Buffer) => void, session?: Buffer): net.Socket {
  const { host, port } = target;
  if (target.tls) {
    const options: tls.ConnectionOptions = { host, port, ca: target.certificate, servername: 'localhost', ...pair };
    if (session) options.session = session;
    const socket = tls.connect(options);
    socket.on('data', onBytes);
    return socket;
  }
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  return net.connect({
    host,
    port,
    onread: {
      buffer,
      callback(count) {
        onBytes(buffer.subarray(0, count));
        return true;
      },
    },
  });
}

/** One MQTT 3.1.1 connection of the generator. */
export class LoadClient {
  readonly identity: Identity;
  readonly socket: net.Socket;
  /** Gets every packet but the answers to CONNECT and SUBSCRIBE. */
  onPacket: (header: number, bytes: Buffer, start: number, end: number) => void = () => {};
  /** Called after all packets of a chunk were seen: the moment to write what they led to. */
  onChunkEnd: () => void = () => {};
  /** The newest TLS session that the server has offered. */
  session: Buffer | undefined;
  #answer: ((code: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #closing = false;
  /** Where the code of an answer is: of MQTT 3.1.1 at its end. */
  #codeAt = (end: number, _start: number): number => end - 1;

  private constructor(identity: Identity, target: Target, session?: Buffer) {
    this.identity = identity;
    const frames = new Frames((header, bytes, start, end) => {
      if (header === CONNACK || header === SUBACK) this.#answer?.(bytes[this.#codeAt(end, start)] ?? 0xff);
      else this.onPacket(header, bytes, start, end);
    });
    this.socket = open(
      target,
      identity,
      (bytes) => {
        frames.push(bytes);
        this.onChunkEnd();
      },
      session,
    );
    this.socket.setNoDelay(true);
    this.socket.on('session', (offered: Buffer) => {
      this.session = offered;
    });
    this.socket.on('error', (error) => this.#fail(error));
    this.socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Connects and logs in; fails with the return code if the server refuses. `keep`: the session outlives the connection. */
  static async connect(identity: Identity, target: Target, session?: Buffer, keep = false): Promise<LoadClient> {
    const client = new LoadClient(identity, target, session);
    const { clientId, username, password, pair, exchange } = identity;
    if (exchange) return client.#exchanged(clientId, exchange());
    // The answer is awaited from the start on: the bytes wait in the socket until the handshake is done.
    const code = await client.#ask(
      encode(
        {
          type: 'connect',
          protocolVersion: 4,
          cleanStart: !keep,
          keepAlive: 600,
          clientId,
          ...(pair ? {} : { username, password: Buffer.from(password) }),
        },
        4,
      ),
    );
    if (code !== 0) throw new Error(`CONNACK ${code}`);
    return client;
  }

  /** Logs in by AUTH packets of MQTT 5; the code of its CONNACK is the second byte. */
  async #exchanged(clientId: string, { method, first, answer }: Exchange): Promise<LoadClient> {
    const shown = (text: string) => ({ authenticationMethod: method, authenticationData: Buffer.from(text) });
    this.#codeAt = (_end, start) => start + 1;
    this.onPacket = (header, bytes, start, end) => {
      if (header !== AUTH) return;
      // The length of the properties has one byte, or two.
      const from = start + ((bytes[start + 1] ?? 0) < 0x80 ? 2 : 3);
      const { authenticationData } = decodeProperties(bytes, from, end);
      const properties = shown(answer(Buffer.from(authenticationData ?? [])));
      this.socket.write(encode({ type: 'auth', reasonCode: CONTINUE, properties }, 5));
    };
    const connect = { clientId, cleanStart: true, keepAlive: 600, properties: shown(first) };
    const code = await this.#ask(encode({ type: 'connect', protocolVersion: 5, ...connect }, 5));
    if (code !== 0) throw new Error(`CONNACK ${code}`);
    return this;
  }

  async subscribe(filter: string, qos: 0 | 1): Promise<void> {
    const subscription = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const code = await this.#ask(encode({ type: 'subscribe', packetId: 1, subscriptions: [subscription] }, 4));
    if (code !== qos)
      throw new Error(`${this.identity.clientId} asked for ${filter} at QoS ${qos} and was granted ${code}`);
  }

  /** From now on the server may end the connection: whoever asked for it listens to the socket. */
  mayEnd(): void {
    this.#closing = true;
  }

  /** Says goodbye and closes; what the server does afterwards is of no interest. */
  close(): void {
    this.#closing = true;
    this.socket.end(encode({ type: 'disconnect', reasonCode: 0 }, 4));
    this.socket.destroySoon();
  }

  #ask(packet: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void) => {
        clearTimeout(timer);
        this.#answer = undefined;
        this.#failed = undefined;
        act();
      };
      const timer = setTimeout(
        () => done(() => reject(new Error(`${this.identity.clientId}: no answer in ${PATIENCE / 1000} s`))),
        PATIENCE,
      );
      this.#answer = (code) => done(() => resolve(code));
      this.#failed = (error) => done(() => reject(error));
      this.socket.write(packet);
    });
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    const explained = new Error(`${this.identity.clientId}: ${error.message}`, { cause: error });
    if (this.#failed) this.#failed(explained);
    else throw explained;
  }
}
