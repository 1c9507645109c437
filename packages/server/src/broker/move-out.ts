import type { BrokerContext } from './context.ts';
import { removeSession } from './departure.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Message } from './message.ts';
import type { Realm } from './realm.ts';
import { enrol } from './reconsider.ts';
import type { Session } from './session.ts';
import type { StoredSession, StoredSubscription } from './session-store.ts';
import { storedSession, storedSubscription } from './stored-session.ts';
import type { Team } from './team.ts';
import { FRAME, textSize, writeText } from './team-frames.ts';
import type { Question } from './team-words.ts';
import { Alarm } from './timer-wheel.ts';
import { FREE } from './window.ts';

/** What the worker that wants a session is told first. */
export type Taken =
  | { readonly kept: false }
  | { readonly kept: true; readonly stored: StoredSession; readonly subscriptions: readonly StoredSubscription[] };

/** What it is told after the messages that wait. */
export type Yielded =
  | { readonly kept: false }
  | {
      readonly kept: true;
      readonly stored: StoredSession;
      readonly received: readonly number[];
      /** Number of the last message of each worker that is in it already. */
      readonly last: Readonly<Record<number, number>>;
    };

interface Moving {
  readonly to: number;
  readonly realm: Realm;
  readonly session: Session;
  /** It takes no more messages. */
  frozen: boolean;
}

/**
 * Gives kept sessions to other workers. While a session moves, messages for it go to both workers; it is frozen here when every other
 * worker has said that it sends to both, and what the store has is complete before anything is handed over. It can go back until the office has
 * written that it is somewhere else.
 */
export class MovingOut {
  readonly #context: BrokerContext;
  readonly #team: Team;
  readonly #moving = new Map<number, Moving>();
  /** Workers that send to both, by the number of the claim. */
  readonly #marks = new Map<number, Set<number>>();
  #changed: (() => void)[] = [];

  constructor(context: BrokerContext, team: Team) {
    this.#context = context;
    this.#team = team;
  }

  /** Ends the connection of a client that has come to another worker, and says what is kept of it. */
  take(to: number, { id, organisation, clientId, cleanStart }: Extract<Question, { do: 'take' }>): Taken {
    const context = this.#context;
    const realm = context.realms.get(organisation);
    const link = realm?.sessions.get(clientId)?.link;
    if (link !== undefined) {
      context.counters.sessionsTakenOver++;
      link.end({
        reasonCode: 0x8e,
        closeCode: CLOSE_CODES.clientIdReused,
        text: 'The client id was reused: another connection came with the same client id.',
        will: true,
      });
    }
    const session = realm?.sessions.get(clientId);
    if (realm === undefined || session === undefined) return { kept: false };
    if (cleanStart) {
      removeSession(context, realm, session);
      return { kept: false };
    }
    this.#moving.set(id, { to, realm, session, frozen: false });
    this.#marks.set(id, new Set());
    const withheld = session.withheld?.values() ?? [];
    const subscriptions = [...session.subscriptions.values(), ...withheld].map(storedSubscription);
    return { kept: true, stored: storedSession(session), subscriptions };
  }

  /** Another worker sends to both. */
  marked(worker: number, id: number): void {
    this.#marks.get(id)?.add(worker);
    this.#wake();
  }

  /** Hands a session over when all `workers` that are still alive send to both. */
  async yield(to: number, { id, workers }: Extract<Question, { do: 'yield' }>): Promise<Yielded> {
    const moving = this.#moving.get(id);
    if (moving?.to !== to) return { kept: false };
    const { realm, session } = moving;
    const { self, members } = this.#team;
    const marks = this.#marks.get(id)!;
    while (workers.some((one) => one !== self && one !== to && members.has(one) && !marks.has(one))) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
      if (!this.#moving.has(id)) return { kept: false };
    }
    // It may have expired, or its right may have ended.
    if (realm.sessions.get(session.clientId) !== session || session.link !== undefined) {
      this.#forget(id);
      return { kept: false };
    }
    const { durability } = this.#context;
    const last: Record<number, number> = { [self]: this.#team.message };
    for (const [number, member] of members) last[number] = member.lastMessage;
    moving.frozen = true;
    detach(this.#context, realm, session);
    ownMessages(this.#context, session);
    await new Promise<void>((resolve) => durability.whenSaved(() => resolve()));
    const member = members.get(to);
    if (member === undefined || !this.#moving.has(id)) return { kept: false };
    visitWaiting(session, (position, message, flags, identifiers, packetId, state) => {
      const size = 8 + 8 + 1 + 2 + 1 + 8 + 1 + 4 + 1 + 8;
      const body = message?.body ?? Buffer.alloc(0);
      const extra = identifiers ?? Buffer.alloc(0);
      let at = member.peer.begin(FRAME.waiting, size + 4 + extra.length + textSize(message?.topic ?? '') + body.length);
      const { bytes } = member.peer;
      bytes.writeDoubleBE(id, at);
      bytes.writeDoubleBE(position, at + 8);
      bytes[at + 16] = flags;
      bytes.writeUInt16BE(packetId, at + 17);
      bytes[at + 19] = state;
      bytes.writeDoubleBE(message?.storeId ?? 0, at + 20);
      bytes[at + 28] = message?.qos ?? 0;
      bytes.writeUInt32BE(message?.payloadStart ?? 0, at + 29);
      bytes[at + 33] =
        (message === undefined ? 0 : 1) | (message?.retain ? 2 : 0) | (identifiers === undefined ? 0 : 4);
      bytes.writeDoubleBE(message?.expiresAt ?? 0, at + 34);
      at += size;
      bytes.writeUInt32BE(extra.length, at);
      extra.copy(bytes, at + 4);
      at = writeText(bytes, at + 4 + extra.length, message?.topic ?? '');
      body.copy(bytes, at);
    });
    return { kept: true, stored: storedSession(session), received: [...(session.received ?? [])], last };
  }

  /** The office has written where the session is. */
  settled(id: number, moved: boolean): void {
    const moving = this.#moving.get(id);
    this.#forget(id);
    if (moving === undefined) return;
    const { realm, session, frozen } = moving;
    if (moved && frozen) this.#context.counters.queuedNow -= session.queue.length;
    else if (frozen) attach(this.#context, realm, session);
  }

  /** A worker is gone: nobody waits for what it has not said. */
  lost(): void {
    this.#wake();
  }

  #forget(id: number): void {
    this.#moving.delete(id);
    this.#marks.delete(id);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

/** Takes a session of an absent client out of everything but the store. */
function detach(context: BrokerContext, realm: Realm, session: Session): void {
  realm.sessions.delete(session.clientId);
  context.counters.sessionsNow--;
  for (const timer of [session.expiryTimer, session.willTimer, session.groundsTimer]) context.wheel.cancel(timer);
  context.accounts.leave(session.account, session, context.now());
  for (const subscription of session.subscriptions.values()) {
    realm.router.remove(subscription);
    context.counters.subscriptionsNow--;
  }
  if (realm.empty) context.realms.delete(realm.organisation);
}

/** Puts a session that is not in the broker where sessions of absent clients are. */
export function attach(context: BrokerContext, realm: Realm, session: Session): void {
  context.realms.set(realm.organisation, realm);
  realm.sessions.set(session.clientId, session);
  context.counters.sessionsNow++;
  for (const subscription of session.subscriptions.values()) {
    realm.router.add(subscription);
    context.counters.subscriptionsNow++;
  }
  enrol(context, realm, session);
  const left = Math.max(0, session.lastLeft + session.expiry * 1000 - context.now());
  session.expiryTimer ??= new Alarm();
  session.expiryTimer.ring = () => removeSession(context, realm, session);
  context.wheel.schedule(session.expiryTimer, left);
  if (session.will === undefined) return;
  session.willTimer ??= new Alarm();
  context.wheel.schedule(session.willTimer, Math.max(0, session.lastLeft + session.will.delay * 1000 - context.now()));
}

type Visitor = (
  position: number,
  message: Message | undefined,
  flags: number,
  identifiers: Buffer | undefined,
  packetId: number,
  state: number,
) => void;

/** What is on its way to the client, then what waits for it, in their order. */
function visitWaiting({ window, queue }: Session, visit: Visitor): void {
  for (const id of window.inOrder()) {
    visit(window.position(id), window.message(id), window.flags(id), window.identifiers(id), id, window.state(id));
  }
  queue.visit((message, position, flags, identifiers) => visit(position, message, flags, identifiers, 0, FREE));
}

/** Sees to it that no stored message of the session is one of another session too: their rows belong to different workers from now on. */
function ownMessages({ durability }: BrokerContext, session: Session): void {
  const { window, queue } = session;
  for (const id of window.inOrder()) {
    const message = window.message(id);
    if (message !== undefined && message.references > 1) {
      window.replace(id, durability.split(window.position(id), message));
    }
  }
  queue.replace((message, position) => (message.references > 1 ? durability.split(position, message) : message));
}
