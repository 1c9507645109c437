import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from './cpu-time.ts';
import { crowded } from './generator/fleet.ts';
import { LoadClient } from './generator/load-client.ts';
import type { RunningPeer } from './peers/peer.ts';
import { type Cell, failedCell, figureCell } from './result.ts';
import type { Transport } from './workloads.ts';

/** Connections that run the code warm, so that it is not weighed with what they cost. */
const WARM_UP = 300;
/** Time for a server to come to rest before its memory is read. Milliseconds. */
const REST = 8_000;

/**
 * Resident memory that each silent connection adds to a server, in bytes. The server has to be a fresh one: memory that was given back to the
 * process and not to the system would hide what connections take.
 */
export async function measureMemory(peer: RunningPeer, transport: Transport): Promise<Cell> {
  const name = `memory of an idle connection, ${transport}`;
  const target = transport === 'TLS' ? peer.tls : peer.plain;
  const clients: LoadClient[] = [];
  const connect = (from: number, to: number) =>
    crowded(peer.identities.slice(from, to), async (identity) => {
      clients.push(await LoadClient.connect(identity, target));
    });
  try {
    await connect(0, WARM_UP);
    await pause(REST);
    const before = residentBytes(peer.pid);
    await connect(WARM_UP, peer.identities.length);
    await pause(REST);
    const grown = residentBytes(peer.pid) - before;
    const count = peer.identities.length - WARM_UP;
    return figureCell(name, peer.name, 'bytes', [grown / count], `${count} connections`);
  } catch (error) {
    return failedCell(name, peer.name, 'bytes', error instanceof Error ? error.message : String(error));
  } finally {
    for (const client of clients) client.close();
  }
}
