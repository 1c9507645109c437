import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Frames } from '../generator/frames.ts';

/**
 * Main module of the floor: the least that a Node program can do with the traffic of this bench. It believes everybody, checks nothing, looks for the
 * packets and the topic, and passes the bytes on as they came, with one write per socket and turn. No broker in JavaScript can be faster on the same
 * sockets; what a broker needs beyond it is its own work.
 */
interface Settings {
  readonly port: number;
  readonly tlsPort: number;
  readonly keyFile: string;
  readonly certificateFile: string;
}

const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const subscribers = new Map<string, net.Socket[]>();
let waiting = new Map<net.Socket, Buffer[]>();

function send(socket: net.Socket, bytes: Buffer): void {
  if (waiting.size === 0) setImmediate(flush);
  const list = waiting.get(socket);
  if (list) list.push(bytes);
  else waiting.set(socket, [bytes]);
}

function flush(): void {
  const all = waiting;
  waiting = new Map();
  for (const [socket, list] of all) socket.write(list.length === 1 ? (list[0] as Buffer) : Buffer.concat(list));
}

function serve(socket: net.Socket): void {
  socket.on('error', () => {});
  const frames = new Frames((header, bytes, start, end) => {
    const type = header >> 4;
    if (type === 1) send(socket, CONNACK);
    else if (type === 8) subscribe(socket, bytes, start);
    else if (type === 3) publish(socket, header, bytes, start, end);
    else if (type === 14) socket.end();
  });
  socket.on('data', (chunk: Buffer) => frames.push(chunk));
}

function subscribe(socket: net.Socket, bytes: Buffer, start: number): void {
  const length = bytes.readUInt16BE(start + 2);
  const filter = bytes.toString('latin1', start + 4, start + 4 + length);
  const qos = bytes[start + 4 + length] ?? 0;
  subscribers.set(filter, [...(subscribers.get(filter) ?? []), socket]);
  socket.on('close', () => {
    subscribers.set(
      filter,
      (subscribers.get(filter) ?? []).filter((other) => other !== socket),
    );
  });
  send(socket, Buffer.from([0x90, 3, bytes[start] ?? 0, bytes[start + 1] ?? 0, qos]));
}

function publish(socket: net.Socket, header: number, bytes: Buffer, start: number, end: number): void {
  const length = bytes.readUInt16BE(start);
  const topic = bytes.toString('latin1', start + 2, start + 2 + length);
  // The packets of the bench are shorter than 128 bytes and a little.
  const packet = bytes.subarray(start - (end - start > 127 ? 3 : 2), end);
  for (const receiver of subscribers.get(topic) ?? []) send(receiver, packet);
  for (const receiver of subscribers.get('load/+') ?? []) send(receiver, packet);
  if ((header & 6) !== 0)
    send(socket, Buffer.from([0x40, 2, bytes[start + 2 + length] ?? 0, bytes[start + 3 + length] ?? 0]));
}

process.once('message', ({ port, tlsPort, keyFile, certificateFile }: Settings) => {
  const key = readFileSync(keyFile);
  const cert = readFileSync(certificateFile);
  net.createServer({ noDelay: true }, serve).listen(port, '127.0.0.1', 4096, () => {
    tls.createServer({ key, cert, noDelay: true }, serve).listen(tlsPort, '127.0.0.1', 4096, () => {
      process.send?.(process.versions.node);
    });
  });
});
process.on('disconnect', () => process.exit(0));
