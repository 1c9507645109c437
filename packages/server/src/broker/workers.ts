import type { Exchange } from '../bus/exchange.ts';

/**
 * The other worker processes of the same server, as a broker needs them. Worker 0, the office, keeps the book of who has which client id, and
 * takes the sessions of absent clients at the start and those of a worker that has died.
 */
export interface WorkerLinks {
  /** Not listened to yet, and without peers: the broker listens. */
  readonly exchange: Exchange;
  /** Told of a peer that is gone, whatever the reason: in the office, its process is to be ended if it still runs. */
  readonly lost?: (peer: number, why: string) => void;
}
