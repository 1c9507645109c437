import type { Grounds } from '../authentication/authenticator.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Message } from './message.ts';

/** A will as it lies in the store. */
export interface StoredWill {
  readonly message: Message;
  /** Seconds between the end of the connection and the sending. */
  readonly delay: number;
  /** Seconds that the message lives once it is sent; absent: for ever. */
  readonly expiry?: number;
}

/** A session that asked to outlive its connection, without what belongs to it in rows of their own. */
export interface StoredSession {
  /** Number of the session in the store, from 1; never used again. */
  readonly id: number;
  readonly organisation: string;
  readonly clientId: string;
  readonly grounds: Grounds;
  readonly scoped: boolean;
  readonly watson: boolean;
  readonly assurance: 'full' | 'pending';
  readonly version: 3 | 4 | 5;
  /** Seconds that the session outlives its connection. */
  readonly expiry: number;
  /** Group in which an instance of a scalable application shares its subscriptions. */
  readonly share?: string;
  /** Of the last connection; without the peer's certificate. */
  readonly facts: TransportFacts;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Milliseconds since the epoch; 0: the client was connected when this was written. */
  readonly leftAt: number;
  readonly will?: StoredWill;
}

/** One subscription of a stored session. */
export interface StoredSubscription {
  /** As the client wrote it. */
  readonly written: string;
  readonly filter: string;
  readonly share?: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number;
}

/** A QoS 1 or 2 message that waits for a client, or is on its way to it. */
export interface StoredWaiting {
  /** Orders what waits; never used again. */
  readonly position: number;
  readonly session: number;
  /** Number of the message; 0 once the client has it and only the packet identifier is kept. */
  readonly message: number;
  readonly flags: number;
  readonly identifiers: Buffer | undefined;
  /** 0 while it waits in the queue. */
  readonly packetId: number;
  /** Of the window: `FREE` while it waits in the queue. */
  readonly state: number;
}

/** Told what a store holds: sessions, then what belongs to them, waiting messages in the order of their positions. */
export interface StoreVisitor {
  session(session: StoredSession): void;
  subscription(session: number, subscription: StoredSubscription): void;
  received(session: number, packetId: number): void;
  message(id: number, message: Message): void;
  waiting(waiting: StoredWaiting): void;
  retained(organisation: string, message: Message): void;
}

/** What a store could not take when it began to fail: to be put again when it has recovered. */
export interface Unsaved {
  readonly sessions: ReadonlySet<number>;
  /** Topics by organisation. */
  readonly retained: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Told what becomes of what was written. */
export interface StoreListener {
  /** `committed` has grown. */
  committed(): void;
  /**
   * What was put and not committed yet is not going to be: whoever waits for it is to be told. Nothing more may be put until
   * `recovered`; what removes or changes is still taken.
   */
  failing(problem: unknown, unsaved: Unsaved): void;
  recovered(): void;
}

/**
 * Where sessions, what waits in them and retained messages outlive the process.
 *
 * Every call is numbered by `written`; when `committed` has reached a number, the call and all before it survive `kill -9` and loss of
 * power. Calls return at once, take effect in their order, and never throw.
 */
export interface SessionStore {
  /** Number of the last call. */
  readonly written: number;
  /** Number up to which everything is safe. */
  readonly committed: number;
  /** The store takes nothing more at the moment. */
  readonly failing: boolean;
  /** So much waits for the disk that what nobody waits for should be put later. */
  readonly behind: boolean;
  listen(listener: StoreListener): void;
  /** Shows everything that is stored. To be called before anything is written. */
  load(visitor: StoreVisitor): Promise<void>;

  putSession(session: StoredSession): void;
  /** With its subscriptions and received identifiers; what waits for it is removed one by one. */
  removeSession(id: number): void;
  putSubscription(session: number, subscription: StoredSubscription): void;
  removeSubscription(session: number, written: string): void;
  /** A packet identifier of a QoS 2 message that came from the client. */
  putReceived(session: number, packetId: number): void;
  removeReceived(session: number, packetId: number): void;

  /** A message, once however many it waits for. */
  putMessage(id: number, message: Message): void;
  removeMessage(id: number): void;
  putWaiting(
    position: number,
    session: number,
    message: number,
    flags: number,
    identifiers: Buffer | undefined,
    packetId: number,
    state: number,
  ): void;
  /** It goes from the queue to the client. */
  sendWaiting(position: number, packetId: number, state: number): void;
  /** The client has the QoS 2 message: only its packet identifier is kept. */
  releaseWaiting(position: number, state: number): void;
  removeWaiting(position: number): void;
  /** Another row has the message that waits at a position, the same one. */
  moveWaiting(position: number, message: number): void;

  /** In place of the one that the topic had. */
  putRetained(organisation: string, message: Message): void;
  removeRetained(organisation: string, topic: string): void;

  /** Resolves when all that was written is safe or has failed. */
  flush(): Promise<void>;
  /** Flushes and lets go. */
  close(): Promise<void>;
}
