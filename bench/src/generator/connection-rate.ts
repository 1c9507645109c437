import type tls from 'node:tls';
import type { Identity } from '../identity.ts';
import { LoadClient, type Target } from './load-client.ts';
import { measure, type Stretch } from './measure.ts';

export interface ConnectionStretch extends Stretch {
  /** How many of all connections resumed a TLS session. */
  readonly resumed: number;
  readonly total: number;
}

/** Connects, logs in, says goodbye, over and over, one connection at a time per identity. */
export async function connectionRate(
  identities: readonly Identity[],
  target: Target,
  options: { readonly serverPid: number; readonly warmup: number; readonly duration: number; readonly resume: boolean },
): Promise<ConnectionStretch> {
  let running = true;
  let total = 0;
  let resumed = 0;
  const loops = identities.map(async (identity) => {
    let session: Buffer | undefined;
    while (running) {
      const client = await LoadClient.connect(identity, target, options.resume ? session : undefined);
      total += 1;
      if (target.tls) {
        const socket = client.socket as tls.TLSSocket;
        if (socket.isSessionReused()) resumed += 1;
        // Each ticket is used once, as RFC 8446 section C.4 advises clients; it has usually come with CONNACK.
        session = client.session;
      }
      const closed = new Promise((resolve) => client.socket.once('close', resolve));
      client.close();
      await closed;
    }
  });
  const stretch = await measure(options.serverPid, () => total, options.warmup, options.duration);
  running = false;
  await Promise.all(loops);
  return { ...stretch, resumed, total };
}
