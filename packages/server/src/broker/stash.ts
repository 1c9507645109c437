import type { Session } from './session.ts';

/** What a session of another worker gets in this one, before it has come. */
export interface Arriving {
  readonly session: Session;
  /** Of each message in its queue: the worker that it came from, and its number there; Infinity if nobody else got it. */
  readonly origins: { readonly worker: number; readonly message: number }[];
  /** Tickets of those who wait until it is on disk. */
  readonly tickets: number[];
}

/** Where tickets come from. */
interface Needy {
  need(): number;
  readonly tickets: { add(ticket: number): void };
}

/**
 * Messages for sessions that are moving to this worker. They gather in the queue of a session that nobody has yet, and whoever sent them
 * waits until it has come.
 */
export class Stash {
  readonly #arriving = new Set<Arriving>();

  add(arriving: Arriving): void {
    this.#arriving.add(arriving);
  }

  remove(arriving: Arriving): void {
    this.#arriving.delete(arriving);
  }

  /** Notes where the messages have come from that were queued since the last note. */
  note(team: Needy, worker: number, message: number): void {
    if (this.#arriving.size === 0) return;
    for (const { session, origins, tickets } of this.#arriving) {
      while (origins.length < session.queue.length) {
        origins.push({ worker, message });
        const ticket = team.need();
        team.tickets.add(ticket);
        tickets.push(ticket);
      }
    }
  }
}
