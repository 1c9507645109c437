import { ReasonCode, writeAck } from '@sallyport/mqtt';
import type { Link } from './link.ts';
import type { Message } from './message.ts';
import { LOST_PUBACK, PendingAcks, REFUSED_PUBACK, UNHEARD_PUBACK } from './pending-acks.ts';
import type { Receiver } from './receiver.ts';
import type { Subscription } from './route.ts';
import { RowNumbers } from './row-numbers.ts';
import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { storedSession, storedSubscription } from './stored-session.ts';
import { UnsavedRecords } from './unsaved-records.ts';

/** The acknowledgement of a kind of {@link PendingAcks}. */
export const ACK_TYPES: readonly Parameters<typeof writeAck>[1][] = [
  'puback',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'puback',
  'puback',
  'pubrec',
  'puback',
  'pubrec',
  'puback',
  'pubrec',
];

/** What an acknowledgement says once its turn has come. */
export function reasonOf(kind: number): number {
  if (kind < UNHEARD_PUBACK) return ReasonCode.success;
  if (kind < REFUSED_PUBACK) return ReasonCode.noMatchingSubscribers;
  return kind < LOST_PUBACK ? ReasonCode.quotaExceeded : ReasonCode.unspecifiedError;
}

interface Task {
  readonly sequence: number;
  readonly done: (saved: boolean) => void;
}

/** The greatest numbers of rows that are in use. */
export interface TakenNumbers {
  readonly sessions: number;
  readonly messages: number;
  readonly positions: number;
}

/**
 * What the broker keeps in its session store, and what waits for it.
 *
 * Only a session with a `storeId` has anything in the store; for all others each call here ends at its first line.
 */
export class Durability {
  readonly store: SessionStore;
  /** What the store could not take, to be put again. */
  readonly unsaved = new UnsavedRecords();
  /** Clients with something to be told when the store has committed. */
  waiting: Receiver[] = [];
  tasks: Task[] = [];
  readonly #sessions: RowNumbers;
  readonly #messages: RowNumbers;
  readonly #positions: RowNumbers;

  /** `worker`: number of this worker where there are several, whose numbers of rows must not meet. */
  constructor(store: SessionStore, worker?: number) {
    this.store = store;
    this.#sessions = new RowNumbers(worker);
    this.#messages = new RowNumbers(worker);
    this.#positions = new RowNumbers(worker);
  }

  /** Numbers that are taken already. */
  skip({ sessions, messages, positions }: TakenNumbers): void {
    this.#sessions.skip(sessions);
    this.#messages.skip(messages);
    this.#positions.skip(positions);
  }

  /** Numbers that are taken at most. */
  get taken(): TakenNumbers {
    return { sessions: this.#sessions.last, messages: this.#messages.last, positions: this.#positions.last };
  }

  // Messages

  /**
   * Stores that a message waits for a client (`packetId` 0) or is on its way to it; answers its position, 0 if it is not stored.
   * A store that fails at the moment takes nothing: what nobody waits for is then kept in memory only.
   */
  keep(
    receiver: Receiver,
    message: Message,
    flags: number,
    identifiers: Buffer | undefined,
    packetId: number,
    state: number,
  ): number {
    const { store } = this;
    if (receiver.storeId === 0 || store.failing) return 0;
    if (message.references === 0) {
      message.storeId = this.#messages.next();
      store.putMessage(message.storeId, message);
    }
    message.references++;
    const position = this.#positions.next();
    store.putWaiting(position, receiver.storeId, message.storeId, flags, identifiers, packetId, state);
    return position;
  }

  /** A message goes from the queue to the client; answers its position. */
  send(
    receiver: Receiver,
    position: number,
    message: Message,
    flags: number,
    identifiers: Buffer | undefined,
    packetId: number,
    state: number,
  ): number {
    if (position === 0) return this.keep(receiver, message, flags, identifiers, packetId, state);
    this.store.sendWaiting(position, packetId, state);
    return position;
  }

  /** The client has a QoS 2 message: only its packet identifier is kept. */
  release(position: number, message: Message | undefined, state: number): void {
    if (position === 0) return;
    this.store.releaseWaiting(position, state);
    this.#letGo(message);
  }

  /** A message does not wait any more. */
  drop(position: number, message: Message | undefined): void {
    if (position === 0) return;
    this.store.removeWaiting(position);
    this.#letGo(message);
  }

  /** Gives the message at a position a row that nothing else refers to; answers the message in that row. */
  split(position: number, message: Message): Message {
    if (position === 0 || this.store.failing) return message;
    const own: Message = { ...message, storeId: this.#messages.next(), references: 1 };
    this.store.putMessage(own.storeId, own);
    this.store.moveWaiting(position, own.storeId);
    this.#letGo(message);
    return own;
  }

  #letGo(message: Message | undefined): void {
    if (message === undefined || message.references === 0) return;
    message.references--;
    if (message.references === 0) this.store.removeMessage(message.storeId);
  }

  retain(organisation: string, message: Message): void {
    const { failing, behind } = this.store;
    if (failing || (behind && message.qos === 0)) this.unsaved.addRetained(organisation, message.topic);
    else this.store.putRetained(organisation, message);
  }

  unretain(organisation: string, topic: string): void {
    if (this.store.failing) this.unsaved.addRetained(organisation, topic);
    else this.store.removeRetained(organisation, topic);
  }

  hold(receiver: Receiver, packetId: number): void {
    receiver.hold(packetId);
    if (receiver.storeId > 0 && !this.store.failing) this.store.putReceived(receiver.storeId, packetId);
  }

  /** False if the packet identifier was not held. */
  unhold(receiver: Receiver, packetId: number): boolean {
    if (!receiver.received?.delete(packetId)) return false;
    if (receiver.storeId > 0) this.store.removeReceived(receiver.storeId, packetId);
    return true;
  }

  // Sessions

  /** Stores a session that outlives its connection, and lets go of one that does not any more. */
  save(session: Session): void {
    if (session.expiry === 0) {
      this.forget(session);
      return;
    }
    if (session.storeId === 0) session.storeId = this.#sessions.next();
    if (this.store.failing) this.unsaved.addSession(session.storeId);
    else this.store.putSession(storedSession(session));
  }

  /** Nothing of the session stays in the store. */
  forget(session: Session): void {
    const { storeId, window, queue } = session;
    if (storeId === 0) return;
    for (const packetId of window.inOrder()) this.drop(window.position(packetId), window.message(packetId));
    window.forgetPositions();
    queue.visit((message, position) => this.drop(position, message));
    queue.forgetPositions();
    this.store.removeSession(storeId);
    session.storeId = 0;
  }

  subscribed(session: Session, subscription: Subscription): void {
    const { storeId } = session;
    if (storeId === 0) return;
    if (this.store.failing) this.unsaved.addSession(storeId);
    else this.store.putSubscription(storeId, storedSubscription(subscription));
  }

  unsubscribed(session: Session, written: string): void {
    if (session.storeId > 0) this.store.removeSubscription(session.storeId, written);
  }

  /** Puts a session again, whole but for the messages that wait for it. */
  saveAgain(session: Session): void {
    this.save(session);
    for (const subscription of session.subscriptions.values()) this.subscribed(session, subscription);
  }

  // What waits for the store

  /**
   * Says an acknowledgement when everything up to `sequence` is safe and the ticket of other workers is settled, and not before those that
   * were to be said earlier.
   */
  acknowledge(receiver: Receiver, link: Link, kind: number, packetId: number, sequence: number, ticket = 0): void {
    const { pending } = receiver;
    if (ticket === 0 && sequence <= this.store.committed && (pending === undefined || pending.length === 0)) {
      writeAck(link.slab, ACK_TYPES[kind]!, packetId, reasonOf(kind), link.version);
      link.touch();
    } else this.later(receiver, kind, packetId, sequence, ticket);
  }

  /** Lets something wait for its turn, for the store and for the ticket. */
  later(receiver: Receiver, kind: number, packetId: number, sequence: number, ticket = 0): void {
    receiver.pending ??= new PendingAcks();
    const { pending } = receiver;
    pending.push(kind, packetId, sequence, ticket);
    if (pending.listed || sequence <= this.store.committed) return;
    pending.listed = true;
    this.waiting.push(receiver);
  }

  /** Runs `done` when all that was written is safe (true) or is not going to be (false): at once if nothing is under way. */
  whenSaved(done: (saved: boolean) => void): void {
    const { written, committed } = this.store;
    if (written <= committed) done(true);
    else this.tasks.push({ sequence: written, done });
  }
}
