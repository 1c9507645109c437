import type { Socket } from 'node:net';
import type { ByteReceiver, ByteStream } from '../broker/byte-stream.ts';

/** A peer that does not read what is left, or does not close, is not waited for longer. Milliseconds. */
const LINGER = 5_000;

/**
 * A TCP or TLS socket as a stream of bytes. Chunks are passed on as they came. Errors of the socket end in `closed`, once, also
 * when the socket ended before `attach`.
 */
export function socketStream(socket: Socket): ByteStream {
  let receiver: ByteReceiver | undefined;
  let cause: Error | undefined;
  let ending = false;
  let closed = false;

  const tellClosed = (): void => {
    if (!receiver) return;
    const told = receiver;
    receiver = undefined;
    told.closed(cause);
  };
  // Without a listener an error would end the process; `close` follows each.
  socket.on('error', (error) => {
    cause ??= error;
  });
  socket.on('close', () => {
    closed = true;
    tellClosed();
  });
  const linger = (): void => {
    const timer = setTimeout(() => socket.destroy(), LINGER);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  };

  return {
    write: (bytes) => !ending && socket.write(bytes),
    end() {
      if (ending || closed) return;
      ending = true;
      socket.end();
      // A paused socket would not notice that the peer has closed.
      socket.resume();
      linger();
    },
    destroy() {
      ending = true;
      socket.destroy();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    get bufferedBytes() {
      return socket.writableLength;
    },
    attach(newReceiver) {
      receiver = newReceiver;
      if (closed || socket.destroyed) {
        queueMicrotask(tellClosed);
        return;
      }
      socket.on('drain', () => receiver?.drain());
      // The peer will send no more; what it is still owed is flushed, but not for ever.
      socket.on('end', linger);
      socket.on('data', (chunk: Buffer) => {
        if (!ending) receiver?.data(chunk);
      });
    },
  };
}
