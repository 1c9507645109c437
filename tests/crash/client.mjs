// @ts-check
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { Decoder, encode, publishFromFrame } from '@sallyport/mqtt';

/** A client of MQTT 5 that keeps its half of a session over reconnects, and an exact account of it. */
export class CrashClient {
  /** @type {import('node:net').Socket | undefined} */
  socket;
  connected = false;
  /** Sessions that were promised and were not there. */
  lostSessions = 0;
  #known = false;

  /** @param {string} clientId */
  constructor(clientId) {
    this.clientId = clientId;
  }

  /** @param {{ port: number, username: string, password: string }} where */
  async connect({ port, username, password }) {
    const socket = dial(port, '127.0.0.1');
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.socket === socket) this.connected = false;
    });
    await once(socket, 'connect');
    socket.setNoDelay(true);
    const decoder = new Decoder({ maximumPacketSize: 268_435_455, from: 'server', version: 5 });
    const greeted = new Promise((resolve, reject) => {
      socket.on('close', () => reject(new Error('closed before CONNACK')));
      socket.on('data', (chunk) => {
        const failure = decoder.push(chunk, {
          publish: (frame) => this.take(publishFromFrame(frame)),
          packet: (packet) => {
            if (packet.type === 'connack') resolve(packet);
            else this.take(packet);
          },
        });
        if (failure) throw new Error(`the server sent bytes that are not MQTT: ${JSON.stringify(failure)}`);
      });
    });
    this.send({
      type: 'connect',
      protocolVersion: 5,
      cleanStart: false,
      keepAlive: 60,
      clientId: this.clientId,
      username,
      password: Buffer.from(password),
      properties: { sessionExpiryInterval: 3600, receiveMaximum: 100 },
    });
    const { reasonCode, sessionPresent } = await greeted;
    if (reasonCode !== 0) throw new Error(`CONNACK 0x${reasonCode.toString(16)}`);
    if (this.#known && !sessionPresent) this.lostSessions++;
    this.#known = true;
    this.connected = true;
    this.resumed();
  }

  /** @param {import('@sallyport/mqtt').Packet} packet */
  send(packet) {
    this.socket?.write(encode(packet, 5));
  }

  cut() {
    this.connected = false;
    this.socket?.destroy();
  }

  /** Called when the session is there again. */
  resumed() {}

  /** @param {any} _packet */
  take(_packet) {}
}
