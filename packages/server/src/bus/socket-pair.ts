import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { join } from 'node:path';

const PROOF = 32;

/**
 * Two sockets that are connected with each other, to be handed to two processes. The Unix socket by which they met is in a folder of its own
 * below `folder`, open to nobody else, and gone before this answers; an end that does not show the proof of this call is not taken. Rejects if
 * the system has no more sockets.
 */
export async function socketPair(folder: string): Promise<readonly [Socket, Socket]> {
  const place = mkdtempSync(join(folder, 'bus-'));
  const path = join(place, 's');
  const proof = randomBytes(PROOF);
  const server = createServer({ pauseOnConnect: true });
  const near = new Socket();
  const strangers = new Set<Socket>();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
    const far = acceptProven(server, proof, strangers);
    await new Promise<void>((resolve, reject) => near.once('error', reject).connect(path, resolve));
    near.write(proof);
    return [near, await far];
  } catch (error) {
    near.destroy();
    throw error;
  } finally {
    server.close();
    for (const stranger of strangers) stranger.destroy();
    rmSync(place, { recursive: true, force: true });
  }
}

/** The first connection that shows the proof; all others are among the strangers. */
function acceptProven(server: Server, proof: Buffer, strangers: Set<Socket>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.on('connection', (socket) => {
      strangers.add(socket);
      socket.on('error', () => socket.destroy());
      const read = (): void => {
        const shown = socket.read(PROOF) as Buffer | null;
        if (shown === null) return;
        socket.removeListener('readable', read);
        if (shown.length !== PROOF || !timingSafeEqual(shown, proof)) socket.destroy();
        else {
          strangers.delete(socket);
          socket.removeAllListeners('error');
          resolve(socket);
        }
      };
      socket.on('readable', read);
    });
  });
}
