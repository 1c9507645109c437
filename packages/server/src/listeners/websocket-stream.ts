import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ByteReceiver, ByteStream } from '../broker/byte-stream.ts';

/** A peer that does not answer the closing handshake is not waited for longer. Milliseconds. */
const LINGER = 5_000;
const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;

/**
 * A WebSocket as a stream of bytes: each `write` is one binary frame; what comes may be cut into frames in any way [MQTT-6.0.0-2].
 * A text frame ends the connection [MQTT-6.0.0-1].
 */
export function websocketStream(websocket: WebSocket, socket: Socket): ByteStream {
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
  websocket.on('error', (error) => {
    cause ??= error;
  });
  websocket.on('close', () => {
    closed = true;
    tellClosed();
  });

  function end(code: number): void {
    if (ending || closed) return;
    ending = true;
    websocket.close(code);
    // A paused socket would not see the peer's answer.
    websocket.resume();
    const timer = setTimeout(() => websocket.terminate(), LINGER);
    timer.unref();
    websocket.once('close', () => clearTimeout(timer));
  }

  return {
    write(bytes) {
      if (ending || closed) return false;
      websocket.send(bytes, { binary: true, compress: false });
      return !socket.writableNeedDrain;
    },
    end: () => end(NORMAL),
    part: () => end(NORMAL),
    destroy() {
      ending = true;
      websocket.terminate();
    },
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    get bufferedBytes() {
      return websocket.bufferedAmount;
    },
    attach(newReceiver) {
      receiver = newReceiver;
      if (closed) {
        queueMicrotask(tellClosed);
        return;
      }
      socket.on('drain', () => receiver?.drain());
      websocket.on('message', (data, isBinary) => {
        if (ending) return;
        if (isBinary) {
          receiver?.data(data as Buffer);
          return;
        }
        cause ??= new Error('The client sent a text frame; MQTT goes in binary frames.');
        end(UNSUPPORTED_DATA);
      });
    },
  };
}
