import type { Message } from './message.ts';
import type {
  SessionStore,
  StoredSession,
  StoredSubscription,
  StoredWaiting,
  StoreListener,
  StoreVisitor,
  Unsaved,
} from './session-store.ts';
import { UnsavedRecords } from './unsaved-records.ts';

const MUTE: StoreListener = { committed() {}, failing() {}, recovered() {} };

interface Call {
  /** Whether it needs room: that is what a failing store does not take. */
  readonly puts: boolean;
  readonly apply: () => void;
  readonly session?: number;
  readonly retained?: readonly [organisation: string, topic: string];
}

/**
 * A store that lives as long as the process. It commits at once, unless it is held: then it behaves like a disk that takes its time,
 * fills up, or is lost in the middle.
 */
export class MemorySessionStore implements SessionStore {
  written = 0;
  committed = 0;
  failing = false;
  readonly behind = false;
  #listener = MUTE;
  #held = false;
  #calls: Call[] = [];
  readonly #sessions = new Map<number, StoredSession>();
  readonly #subscriptions = new Map<number, Map<string, StoredSubscription>>();
  readonly #received = new Map<number, Set<number>>();
  readonly #messages = new Map<number, Message>();
  readonly #waiting = new Map<number, StoredWaiting>();
  readonly #retained = new Map<string, Map<string, Message>>();

  listen(listener: StoreListener): void {
    this.#listener = listener;
  }

  async load(visitor: StoreVisitor): Promise<void> {
    for (const session of this.#sessions.values()) visitor.session(session);
    for (const [id, all] of this.#subscriptions) for (const one of all.values()) visitor.subscription(id, one);
    for (const [id, all] of this.#received) for (const packetId of all) visitor.received(id, packetId);
    for (const [id, message] of this.#messages) visitor.message(id, { ...message });
    const waiting = [...this.#waiting.values()].sort((a, b) => a.position - b.position);
    for (const one of waiting) visitor.waiting(one);
    for (const [organisation, all] of this.#retained) {
      for (const message of all.values()) visitor.retained(organisation, { ...message });
    }
  }

  /** From now on nothing is committed. */
  hold(): void {
    this.#held = true;
  }

  /** Commits what was held back, and from now on at once. */
  release(): void {
    this.#held = false;
    this.#commit();
  }

  /** The process dies here: what was not committed is gone. */
  crash(): void {
    this.#calls = [];
    this.#held = false;
    this.failing = false;
    this.committed = this.written;
    this.#listener = MUTE;
  }

  /** The disk is full. */
  fail(problem: unknown): void {
    const unsaved = new UnsavedRecords();
    this.failing = true;
    for (const { session, retained } of this.#calls.filter(({ puts }) => puts)) {
      if (session !== undefined) unsaved.addSession(session);
      if (retained !== undefined) unsaved.addRetained(...retained);
    }
    this.#calls = this.#calls.filter(({ puts }) => !puts);
    this.#listener.failing(problem, unsaved satisfies Unsaved);
    if (!this.#held) this.#commit();
  }

  /** There is room again. */
  recover(): void {
    this.failing = false;
    this.#listener.recovered();
  }

  putSession(session: StoredSession): void {
    this.#call({ puts: true, session: session.id, apply: () => this.#sessions.set(session.id, session) });
  }

  removeSession(id: number): void {
    this.#call({
      puts: false,
      apply: () => {
        for (const map of [this.#sessions, this.#subscriptions, this.#received]) map.delete(id);
      },
    });
  }

  putSubscription(session: number, subscription: StoredSubscription): void {
    this.#call({
      puts: true,
      session,
      apply: () => inner(this.#subscriptions, session).set(subscription.written, subscription),
    });
  }

  removeSubscription(session: number, written: string): void {
    this.#call({ puts: false, apply: () => this.#subscriptions.get(session)?.delete(written) });
  }

  putReceived(session: number, packetId: number): void {
    this.#call({
      puts: true,
      apply: () => {
        const all = this.#received.get(session) ?? new Set();
        this.#received.set(session, all.add(packetId));
      },
    });
  }

  removeReceived(session: number, packetId: number): void {
    this.#call({ puts: false, apply: () => this.#received.get(session)?.delete(packetId) });
  }

  putMessage(id: number, message: Message): void {
    const copy = { ...message, storeId: 0, references: 0 };
    this.#call({ puts: true, apply: () => this.#messages.set(id, copy) });
  }

  removeMessage(id: number): void {
    this.#call({ puts: false, apply: () => this.#messages.delete(id) });
  }

  putWaiting(
    position: number,
    session: number,
    message: number,
    flags: number,
    identifiers: Buffer | undefined,
    packetId: number,
    state: number,
  ): void {
    const waiting = { position, session, message, flags, identifiers, packetId, state };
    this.#call({ puts: true, apply: () => this.#waiting.set(position, waiting) });
  }

  sendWaiting(position: number, packetId: number, state: number): void {
    this.#change(position, { packetId, state });
  }

  releaseWaiting(position: number, state: number): void {
    this.#change(position, { message: 0, identifiers: undefined, state });
  }

  moveWaiting(position: number, message: number): void {
    this.#change(position, { message }, true);
  }

  removeWaiting(position: number): void {
    this.#call({ puts: false, apply: () => this.#waiting.delete(position) });
  }

  putRetained(organisation: string, message: Message): void {
    const { topic } = message;
    const copy = { ...message, storeId: 0, references: 0 };
    this.#call({
      puts: true,
      retained: [organisation, topic],
      apply: () => inner(this.#retained, organisation).set(topic, copy),
    });
  }

  removeRetained(organisation: string, topic: string): void {
    this.#call({ puts: false, apply: () => this.#retained.get(organisation)?.delete(topic) });
  }

  async flush(): Promise<void> {
    this.#commit();
  }

  async close(): Promise<void> {
    this.#commit();
  }

  #change(position: number, change: Partial<StoredWaiting>, puts = false): void {
    this.#call({
      puts,
      apply: () => {
        const earlier = this.#waiting.get(position);
        if (earlier !== undefined) this.#waiting.set(position, { ...earlier, ...change });
      },
    });
  }

  #call(call: Call): void {
    this.written++;
    if (this.#held) {
      this.#calls.push(call);
      return;
    }
    call.apply();
    this.committed = this.written;
  }

  #commit(): void {
    for (const { apply } of this.#calls) apply();
    this.#calls = [];
    if (this.committed === this.written) return;
    this.committed = this.written;
    this.#listener.committed();
  }
}

function inner<K, V>(outer: Map<K, Map<string, V>>, key: K): Map<string, V> {
  let found = outer.get(key);
  if (found === undefined) {
    found = new Map();
    outer.set(key, found);
  }
  return found;
}
