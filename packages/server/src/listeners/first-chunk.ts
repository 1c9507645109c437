import type { Socket } from 'node:net';

/** Waits for the first bytes, shows them, and leaves them in the socket for whoever reads next. Not called if none come. */
export function peekFirstChunk(socket: Socket, look: (chunk: Buffer) => void): void {
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    // The end of the stream is announced as readable too; reading it lets the socket close.
    if (chunk === null) return;
    socket.off('readable', onReadable);
    socket.unshift(chunk);
    look(chunk);
  };
  socket.on('readable', onReadable);
}
