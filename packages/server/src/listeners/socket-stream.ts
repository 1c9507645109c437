import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ByteReceiver, ByteStream } from '../broker/byte-stream.ts';

/** A peer that does not read what is left, or does not close, is not waited for longer. Milliseconds. */
const LINGER = 5_000;
const STREAM = Symbol('stream');

/** A socket that leads back to its stream: so the listeners are the same functions for all sockets. */
interface Carrier extends Socket {
  [STREAM]?: SocketStream;
}

/**
 * A TCP or TLS socket as a stream of bytes. Chunks are passed on as they came. Errors of the socket end in `closed`, once, also
 * when the socket ended before `attach`.
 */
export class SocketStream implements ByteStream {
  readonly #socket: Carrier;
  #receiver: ByteReceiver | undefined;
  #cause: Error | undefined;
  #ending = false;
  #closed = false;
  #lingering: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#socket[STREAM] = this;
    // Without a listener an error would end the process; `close` follows each.
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** The socket's own listeners call these. */
  failed(error: Error): void {
    this.#cause ??= error;
  }

  gone(): void {
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#tellClosed();
  }

  drained(): void {
    this.#receiver?.drain();
  }

  /** The peer will send no more; what it is still owed is flushed, but not for ever. */
  linger(): void {
    this.#lingering ??= setTimeout(() => this.#socket.destroy(), LINGER).unref();
  }

  write(bytes: Uint8Array): boolean {
    return !this.#ending && this.#socket.write(bytes);
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#socket.end();
    // A paused socket would not notice that the peer has closed.
    this.#socket.resume();
    this.linger();
  }

  part(): void {
    // TLS owes the peer a last word of its own (RFC 8446 section 6.1).
    if (this.#socket.writableLength === 0 && !(this.#socket instanceof TLSSocket)) this.destroy();
    else this.end();
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  attach(receiver: ByteReceiver): void {
    const socket = this.#socket;
    this.#receiver = receiver;
    if (this.#closed || socket.destroyed) {
      queueMicrotask(() => this.#tellClosed());
      return;
    }
    socket.on('drain', onDrain);
    socket.on('end', onEnd);
    socket.on('data', onData);
  }

  /** Passes on what was read from the socket before it became a stream. */
  deliver(chunk: Buffer): void {
    if (!this.#ending) this.#receiver?.data(chunk);
  }

  #tellClosed(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.closed(this.#cause);
  }
}

function onError(this: Carrier, error: Error): void {
  this[STREAM]?.failed(error);
}

function onClose(this: Carrier): void {
  this[STREAM]?.gone();
}

function onDrain(this: Carrier): void {
  this[STREAM]?.drained();
}

function onEnd(this: Carrier): void {
  this[STREAM]?.linger();
}

function onData(this: Carrier, chunk: Buffer): void {
  this[STREAM]?.deliver(chunk);
}
