/** Worker processes at most; their numbers are below it. 0 is the office. */
export const MOST_WORKERS = 64;

/** The way to one other worker. Frames arrive whole, once, and in their order, or the peer is gone. */
export interface Peer {
  /** Number of the worker. */
  readonly number: number;
  /** Where the frame that was begun last is written: read it after {@link begin}, as room may have moved. */
  readonly bytes: Buffer;
  /** So much waits for the peer that whoever sends should slow down. */
  readonly congested: boolean;
  /**
   * Begins a frame of `size` bytes and answers where in {@link bytes} they go: fill all of them before anything else is begun. `kind` is a
   * byte. All frames of one turn of the event loop leave in one write. What is begun for a peer that is gone goes nowhere.
   */
  begin(kind: number, size: number): number;
  /** Resolves when the peer is {@link congested} no more, or gone. */
  relieved(): Promise<void>;
}

/** Hears what the other workers say. Called between turns, never in the midst of a {@link Peer.begin}. */
export interface ExchangeListener {
  /** The way to a peer is open. First of all that is heard of it. */
  joined(peer: Peer): void;
  /** The body of a frame: `bytes` from `start` to `end`, good during the call only. */
  frame(peer: Peer, kind: number, bytes: Buffer, start: number, end: number): void;
  /** All frames of one chunk have been heard: what was gathered over them may be answered. */
  pause(peer: Peer): void;
  /**
   * Last of all that is heard of a peer. `why` says what happened: its process ended, it did not read, it sent what is no frame. `dropped`: this
   * side has ended the way, so that the peer may still be there.
   */
  left(peer: Peer, why: string, dropped: boolean): void;
}

/** Frames between the worker processes of one server: in order, batched, bounded. */
export interface Exchange {
  /** Number of this worker. */
  readonly self: number;
  /** To be called once, before the exchange is given its first peer. */
  listen(listener: ExchangeListener): void;
  /** Drops a peer, as if its process had ended. */
  drop(peer: number, why: string): void;
  /** Lets what was written go out, then ends the ways to all peers. */
  close(): Promise<void>;
}

/** Bounds on what the exchange holds for a peer, in bytes. */
export interface ExchangeBounds {
  /** Of one frame. A peer that sends a larger one is dropped. */
  readonly largestFrame: number;
  /** Beyond this, what waits for a peer makes it congested. */
  readonly congested: number;
  /** Beyond this, a peer that does not read is dropped. */
  readonly unsent: number;
}

export const DEFAULT_BOUNDS: ExchangeBounds = {
  largestFrame: 269_484_032,
  congested: 8_388_608,
  unsent: 805_306_368,
};
