import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectManagement } from '@sallyport/application/management';
import { LoadClient } from './generator/load-client.ts';
import type { Identity } from './identity.ts';
import { SALLYPORT_ORGANISATION, startSallyport } from './peers/sallyport.ts';
import { quantile } from './statistics.ts';

export interface RevokeOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly sessions: number;
  /** Credentials that are revoked, one after another, spread over all sessions. */
  readonly revocations: number;
  readonly cores: string | undefined;
  readonly workers: number;
  readonly say: (line: string) => void;
}

/** Milliseconds from the request that revokes a credential to the end of the connection that stood on it. */
export interface RevokeResult {
  readonly sessions: number;
  readonly revocations: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Milliseconds until the API had answered: what is left is the time in which the client could notice. */
  readonly answered: { readonly p50: number; readonly p99: number };
  /** Connections that ended although their credential was not revoked. */
  readonly innocent: number;
}

/** Connections that are being made at the same time. */
const CONNECTORS = 16;

/** Connects devices with credentials of their own and revokes some of them. */
export async function benchRevoke(options: RevokeOptions): Promise<RevokeResult> {
  const { folder, sessions, revocations, cores, workers, say } = options;
  say(`Registering ${sessions} devices…`);
  const peer = await startSallyport({ folder, population: { pub: 0, sub: 0, crowd: sessions }, cores, workers });
  try {
    say(`Connecting ${sessions} sessions…`);
    const clients = new Map<Identity, LoadClient>();
    const waiting = [...peer.identities];
    await Promise.all(
      Array.from({ length: CONNECTORS }, async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          clients.set(next, await LoadClient.connect(next, peer.plain));
        }
      }),
    );
    const data = join(folder, 'data');
    const { httpPort } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { httpPort: number };
    const api = connectManagement({
      url: `https://localhost:${httpPort}`,
      token: readFileSync(join(data, 'operator.token'), 'utf8').trim(),
      ca: join(data, 'pki', 'root.pem'),
    });
    try {
      const step = Math.floor(peer.identities.length / revocations);
      const chosen = peer.identities.filter((_, index) => index % step === 0).slice(0, revocations);
      let ended = 0;
      for (const client of clients.values()) {
        client.mayEnd();
        client.socket.on('close', () => ended++);
      }
      await pause(1000);
      say(`Revoking ${chosen.length} credentials…`);
      const closed: number[] = [];
      const answered: number[] = [];
      for (const identity of chosen) {
        const device = { organisation: SALLYPORT_ORGANISATION, type: identity.role, id: String(identity.index) };
        const [credential] = (await api.devices.credentials.list(device)).items;
        const client = clients.get(identity);
        if (!credential || !client) throw new Error(`${identity.clientId} has no credential or is not connected`);
        const gone = once(client.socket, 'close').then(() => performance.now());
        const began = performance.now();
        await api.devices.credentials.revoke(device, credential.id);
        answered.push(performance.now() - began);
        closed.push((await gone) - began);
      }
      return {
        sessions,
        revocations: chosen.length,
        p50: quantile(closed, 0.5),
        p99: quantile(closed, 0.99),
        worst: Math.max(...closed),
        answered: { p50: quantile(answered, 0.5), p99: quantile(answered, 0.99) },
        innocent: ended - chosen.length,
      };
    } finally {
      api.close();
      for (const client of clients.values()) client.socket.destroy();
    }
  } finally {
    await peer.stop();
  }
}
