import type { Refusal, RefusalReason, TraceStep } from '@sallyport/model';
import { newPublishFrame, ReasonCode } from '@sallyport/mqtt';
import type { Reading } from '../events/reading.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import { Accounts } from './accounts.ts';
import { answerClient } from './answer-client.ts';
import type { Presence } from './attend.ts';
import type { ByteStream } from './byte-stream.ts';
import { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { dispatchOwned } from './dispatch.ts';
import { Durability } from './durability.ts';
import { CLOSE_CODES, type Ending } from './ending.ts';
import { Flusher } from './flusher.ts';
import { MemorySessionStore } from './memory-session-store.ts';
import { Passage } from './passage.ts';
import { dismiss, raise, tell } from './presence.ts';
import type { Realm } from './realm.ts';
import { expel, reconsider } from './reconsider.ts';
import { adopt, type Readmit, restore, sendLostWill } from './restore.ts';
import { RowNumbers } from './row-numbers.ts';
import { forgetGhost, serveTeam } from './serve-team.ts';
import { type ServerMessage, serverMessage } from './server-message.ts';
import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { type SessionMatch, type SessionView, sessionMatches, viewOf } from './session-view.ts';
import { storeAnswers } from './store-answers.ts';
import { Team } from './team.ts';
import { Desk } from './team-desk.ts';
import { intervalTicker, type Ticker, TimerWheel } from './timer-wheel.ts';
import { type BrokerApi, wholeServer } from './whole-server.ts';
import type { WorkerLinks } from './workers.ts';

export type { ServerMessage } from './server-message.ts';
export type { SessionMatch, SessionView } from './session-view.ts';
export type { BrokerApi } from './whole-server.ts';

/** What the broker is built from. */
export interface BrokerOptions
  extends Pick<
    BrokerContext,
    | 'now'
    | 'random'
    | 'events'
    | 'limits'
    | 'arrive'
    | 'regrounds'
    | 'refuse'
    | 'askForDevice'
    | 'attend'
    | 'overhear'
    | 'limitsOf'
    | 'payloadDemands'
    | 'counters'
  > {
  /** What outlives the process; if left out, nothing does. */
  readonly store?: SessionStore;
  /** Drives deadlines and keep alives; a timer of the process if left out. */
  readonly ticker?: Ticker;
  /** The other worker processes of this server; left out where there are none. */
  readonly workers?: WorkerLinks;
}

/** The MQTT broker: takes streams, holds sessions, carries messages within each organisation. */
export class Broker {
  /** The brokers of all workers as one; this one, where there are no others. */
  readonly whole: BrokerApi;
  readonly #context: BrokerContext;
  readonly #desk: Desk | undefined;
  readonly #connections = new Set<Connection>();
  #closing = false;
  #drained: (() => void) | undefined;
  readonly #gone = (connection: Connection): void => {
    this.#connections.delete(connection);
    this.#context.counters.connectionsNow--;
    if (this.#connections.size === 0) this.#drained?.();
  };

  constructor(options: BrokerOptions) {
    const { ticker = intervalTicker, store = new MemorySessionStore(), workers, ...given } = options;
    const team =
      workers === undefined
        ? undefined
        : new Team(workers, (client, ticket, outcome) => answerClient(this.#context, client, ticket, outcome));
    this.#context = {
      ...given,
      wheel: new TimerWheel(ticker, undefined, (problem) => this.#defect('timer', problem)),
      flusher: new Flusher((problem) => this.#defect('flush', problem)),
      passage: new Passage(),
      frame: newPublishFrame(),
      realms: new Map(),
      presences: new RowNumbers(team?.self),
      accounts: new Accounts(),
      durability: new Durability(store, team?.self),
      team,
    };
    if (team !== undefined) {
      this.#desk = new Desk(this.#context, team, this);
      serveTeam(this.#context, team, this.#desk);
    }
    this.whole = wholeServer(this, team);
    store.listen(storeAnswers(this.#context));
  }

  /**
   * Brings back what an earlier process has left in the store; to be awaited before the first client is accepted. Rejects if the store cannot
   * be read or a session not be judged.
   */
  async restore(readmit: Readmit): Promise<void> {
    const { durability } = this.#context;
    await restore(this.#context, durability.store, readmit);
    await durability.store.flush();
  }

  /** Resolves when these workers have told what they have: only then may the first client of a worker be accepted. */
  async ready(workers: readonly number[]): Promise<void> {
    await Promise.all(workers.map(async (number) => this.#context.team?.knows(number)));
  }

  /**
   * In the office, when a worker has died and all that it has written is in the store: takes its kept sessions, and sends its wills. Until then
   * nobody gets a client id of that worker, and what is published for it is refused. Rejects as {@link restore} does.
   */
  async adopt(worker: number, readmit: Readmit): Promise<void> {
    const { team, durability } = this.#context;
    const book = this.#desk?.book;
    if (team === undefined || book === undefined) throw new TypeError('only the office takes the sessions of others');
    await durability.store.flush();
    await adopt(this.#context, durability.store, readmit, ({ organisation, clientId }) => {
      return book.ownerOf(organisation, clientId) === worker;
    });
    for (const stored of book.taken(worker)) await sendLostWill(this.#context, stored, readmit);
    forgetGhost(this.#context, team, worker);
    team.sayAll({ say: 'buried', worker });
    await durability.store.flush();
  }

  /** Takes over a fresh stream: the first packet must be CONNECT. Never throws. */
  accept(stream: ByteStream, facts: TransportFacts): void {
    const { counters, limits } = this.#context;
    if (this.#closing || this.#connections.size >= limits.connections) {
      stream.destroy();
      return;
    }
    counters.connectionsNow++;
    this.#connections.add(new Connection(this.#context, stream, facts, this.#gone));
  }

  /**
   * Refuses newcomers, says DISCONNECT 0x8B to every MQTT 5 client and lets what was written go out. Resolves when all
   * connections are closed, at the latest after the close deadline.
   */
  async close(reason: string): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { wheel, limits, durability } = this.#context;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    const text = `The server is stopping: ${reason}`;
    const ending: Ending = {
      reasonCode: ReasonCode.serverShuttingDown,
      closeCode: CLOSE_CODES.serverStopping,
      text,
      will: true,
    };
    // What was taken is still acknowledged, if the disk does its part in time.
    await within(limits.closeDeadline, durability.store.flush());
    for (const connection of [...this.#connections]) connection.end(ending);
    if (this.#connections.size > 0) await within(limits.closeDeadline, drained);
    wheel.stop();
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** Sessions of an organisation in the order of their client ids, after `after`; at most 1000 at a time. */
  listSessions(organisation: string, page: { readonly after?: string; readonly limit?: number } = {}): SessionView[] {
    const realm = this.#context.realms.get(organisation);
    if (realm === undefined) return [];
    const { after = '', limit = 100 } = page;
    const names = [...realm.sessions.keys()].filter((name) => name > after).sort();
    return names.slice(0, Math.min(limit, 1000)).map((name) => viewOf(realm.sessions.get(name)!));
  }

  findSession(organisation: string, clientId: string): SessionView | undefined {
    const session = this.#context.realms.get(organisation)?.sessions.get(clientId);
    return session === undefined ? undefined : viewOf(session);
  }

  /** What the clients of all open connections have sent since they connected. */
  *readings(): Generator<Reading, undefined> {
    for (const { sessions } of this.#context.realms.values()) {
      for (const { principalName, organisation, presence, link } of sessions.values()) {
        if (link === undefined) continue;
        yield { principal: principalName, organisation, presence, messages: link.messagesIn, bytes: link.bytesIn };
      }
    }
  }

  /** Connected sessions, of one organisation or of all. */
  countSessions(organisation?: string): number {
    let count = 0;
    for (const [, session] of this.#matching(organisation === undefined ? {} : { organisation })) {
      if (session.link !== undefined) count++;
    }
    return count;
  }

  /**
   * Judges the matching sessions anew: a session whose grounds have gone is closed and forgotten; of one that stands,
   * cached decisions are dropped and subscriptions that are no longer covered end. Sessions of absent clients too.
   */
  async reconsider(match: SessionMatch): Promise<void> {
    // Bounds differ by principal and by type: nothing else changes them.
    const bounds = match.principal === undefined && match.deviceType === undefined ? 'as they are' : 'anew';
    const found = this.#matching(match);
    await Promise.all(found.map(([realm, session]) => reconsider(this.#context, realm, session, bounds)));
  }

  /** What a principal may send from now on, over all its connections: messages and bytes per second. */
  setRates(principal: string, rates: { readonly messageRate?: number; readonly byteRate?: number }): void {
    const { accounts, limits } = this.#context;
    const { messageRate = limits.messageRate, byteRate = limits.byteRate } = rates;
    accounts.find(principal)?.traffic.grant(messageRate, byteRate);
  }

  /** Closes the matching sessions and forgets them; answers how many. Their wills are not sent. */
  closeSessions(match: SessionMatch, reasonCode: number, text: string): number {
    const sessions = this.#matching(match);
    for (const [realm, session] of sessions) {
      expel(this.#context, realm, session, { reasonCode, closeCode: CLOSE_CODES.closedByOperator, text, will: false });
    }
    return sessions.length;
  }

  /** Gives a pending session all its rights, and what has waited for them. False if it is gone, or not pending. */
  raise(at: Presence): boolean {
    return raise(this.#context, at);
  }

  /** Sends a message of the server to this one session, if it is subscribed; nobody else gets it. */
  tell(at: Presence, message: ServerMessage): void {
    tell(this.#context, at, message);
  }

  /** Ends this one session for what its client did in it: neither will nor queue is kept. The answer is the refusal under which it is explained. */
  dismiss(at: Presence, reason: RefusalReason, step: TraceStep, cure?: string): Refusal | undefined {
    return dismiss(this.#context, at, reason, step, cure);
  }

  /** Whether somebody who is connected would get a message of this topic. */
  reaches(organisation: string, topic: string): boolean {
    const realm = this.#context.realms.get(organisation);
    const { targets = [], groups = [] } = realm?.router.route(topic) ?? {};
    return [...targets, ...groups.flatMap((group) => group.targets)].some(
      ({ receiver }) => receiver.link !== undefined && receiver.rights.permits('receive', topic),
    );
  }

  /** Sends a message of the server itself to whoever is subscribed in the organisation. */
  publish(organisation: string, message: ServerMessage): void {
    dispatchOwned(this.#context, organisation, serverMessage(message, this.#context.now()));
  }

  #matching(match: SessionMatch): [Realm, Session][] {
    const { realms, accounts } = this.#context;
    const found: [Realm, Session][] = [];
    const add = (realm: Realm | undefined, sessions: Iterable<Session>) => {
      if (realm === undefined) return;
      for (const session of sessions) if (sessionMatches(session, match)) found.push([realm, session]);
    };
    if (match.principal !== undefined) {
      for (const session of accounts.find(match.principal)?.sessions ?? []) {
        add(realms.get(session.organisation), [session]);
      }
      return found;
    }
    if (match.organisation !== undefined && match.clientId !== undefined) {
      const realm = realms.get(match.organisation);
      const session = realm?.sessions.get(match.clientId);
      if (session !== undefined) add(realm, [session]);
      return found;
    }
    for (const realm of realms.values()) {
      if (match.organisation === undefined || match.organisation === realm.organisation) {
        add(realm, realm.sessions.values());
      }
    }
    return found;
  }

  #defect(where: string, error: unknown): void {
    this.#context.counters.defects++;
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.events.emit({ type: 'defect', where: `broker ${where}`, problem });
  }
}

/** Waits for `work`, at most so many milliseconds. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    deadline = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(deadline);
}
