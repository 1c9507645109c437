import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Target } from '../generator/load-client.ts';
import type { Identity, Population } from '../identity.ts';

/** What a server is started with. */
export interface PeerOptions {
  /** An empty folder of its own. */
  readonly folder: string;
  readonly population: Population;
  /** As taskset takes them; undefined: not pinned. */
  readonly cores: string | undefined;
  /** Worker processes, where the peer can have several; one if left out. */
  readonly workers?: number;
  /** Policy statements in force beside those that the load needs. */
  readonly statements?: number;
}

/** A server under load. */
export interface RunningPeer {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly plain: Target;
  readonly tls: Target;
  readonly identities: readonly Identity[];
  /** Acknowledges a message for a session that is kept after it is on disk, and not before. */
  readonly durable: boolean;
  stop(): Promise<void>;
}

/** Command and arguments that run a program on given cores. */
export function pinned(cores: string | undefined, program: string, args: readonly string[]): [string, string[]] {
  return cores === undefined ? [program, [...args]] : ['taskset', ['-c', cores, program, ...args]];
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** Ends a process that this bench has started; asks, then insists. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = pause(5000, undefined, { ref: false }).then(() => child.kill('SIGKILL'));
  await Promise.race([gone, insist]);
}
