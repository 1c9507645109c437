import { readFileSync } from 'node:fs';
import { type Login, RawClient } from './attacks/raw-client.ts';
import type { TestServer } from './server.ts';

/** Connections are numbered so that the rest of a division by this says whose they are. */
const NUMBERS = 64;

/** Lets clients of a test be placed on one worker or the other. */
export class Placement {
  readonly #server: TestServer;
  readonly #workers = new Map<string, number>();
  readonly #fillers: RawClient[] = [];

  constructor(server: TestServer) {
    this.#server = server;
    server.server.events.on('session.opened', ({ clientId, presence }) => {
      this.#workers.set(clientId, presence % NUMBERS);
    });
  }

  /** The worker that has the session. */
  async workerOf(client: RawClient, clientId: string): Promise<number> {
    await client.settled();
    for (;;) {
      const worker = this.#workers.get(clientId);
      if (worker !== undefined) return worker;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Logs in until the connection is with the worker; those before it are taken over by it. */
  async open(worker: number, who: string, clientId: string, login: Login = {}): Promise<RawClient> {
    for (let attempt = 0; attempt < 8; attempt++) {
      this.#workers.delete(clientId);
      const client = await RawClient.open(this.#server, who, { ...login, clientId });
      if ((await this.workerOf(client, clientId)) === worker) return client;
      // Connections go where the fewest are: one more, and the next goes to the other.
      this.#fillers.push(await RawClient.dial(this.#server));
    }
    throw new Error(`${clientId} did not get to worker ${worker}`);
  }

  /** Numbers and process ids of the workers, as the server has told them. */
  async processes(): Promise<Map<number, number>> {
    const { items } = await this.#server.api.audit({ type: 'worker.started', limit: 50 });
    const found = new Map<number, number>();
    for (const { details } of items.toReversed()) {
      const { worker, pid } = details as { worker: number; pid: number };
      found.set(worker, pid);
    }
    return found;
  }
}

/** What everybody on the machine can see of a process, and what its owner can. */
export function surroundings(pid: number): { readonly argv: string; readonly env: string } {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1').replaceAll('\0', '\n');
  return { argv: read('cmdline'), env: read('environ') };
}
