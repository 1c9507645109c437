import type { Peer } from '../bus/exchange.ts';
import { type Interest, writeInterest } from './abroad.ts';
import type { MovedMessage } from './moved-message.ts';
import type { Office } from './office.ts';
import type { Receiver } from './receiver.ts';
import { RetainedOrder } from './retained-order.ts';
import { RouteNumbers } from './route-numbers.ts';
import { Stash } from './stash.ts';
import { FRAME, writeJson } from './team-frames.ts';
import { Member } from './team-member.ts';
import type { Question, Word } from './team-words.ts';
import { LOST, type Outcome, REFUSED, Tickets } from './tickets.ts';
import type { WorkerLinks } from './workers.ts';

/** Number of the worker that keeps the books. */
export const OFFICE = 0;

/** The other workers of the server: who they are, what they owe this one, and what it asks them. */
export class Team {
  readonly self: number;
  readonly links: WorkerLinks;
  readonly members = new Map<number, Member>();
  readonly tickets: Tickets;
  /** Number of the message that this worker has handed out last. */
  message = 0;
  /** Ticket of the message that is being handed out; 0: nobody else has to do anything. */
  ticket = 0;
  /** Workers that this message went to and that take messages more slowly than they come: whoever sends is to wait for them. */
  slow: Peer[] | undefined;
  readonly retained: RetainedOrder;
  readonly stash = new Stash();
  readonly routes = new RouteNumbers();
  /** Workers that have died and whose sessions nobody has taken yet. */
  readonly ghosts = new Set<number>();
  /** The book of who has which client id. */
  office!: Office;
  /** Messages of sessions that move to this worker, by the number of the claim. */
  readonly moved = new Map<number, MovedMessage[]>();
  /** To whom something may have to be told at the end of the turn. */
  readonly owing = new Set<Member>();
  #questions = 0;
  readonly #asked = new Map<number, { readonly member: Member; readonly settle: (answer: unknown) => void }>();
  readonly #ready = new Map<number, () => void>();

  /** `told` hears of each ticket of a client that is settled. */
  constructor(links: WorkerLinks, told: (client: Receiver, ticket: number, outcome: Outcome) => void) {
    this.links = links;
    this.self = links.exchange.self;
    this.retained = new RetainedOrder(this.self);
    this.tickets = new Tickets(told);
  }

  // Who is there

  join(peer: Peer): Member {
    const member = new Member(peer);
    this.ghosts.delete(peer.number);
    this.members.set(peer.number, member);
    return member;
  }

  /** A worker is gone: nobody waits for it any more. */
  leave(number: number): void {
    const member = this.members.get(number);
    if (member === undefined) return;
    this.members.delete(number);
    this.ghosts.add(number);
    member.lost(this.tickets);
    for (const [id, { member: asked, settle }] of [...this.#asked]) {
      if (asked !== member) continue;
      this.#asked.delete(id);
      settle(undefined);
    }
    this.#ready.get(number)?.();
    this.#ready.delete(number);
  }

  /** A worker has told everything. */
  told(member: Member): void {
    member.told = true;
    this.#ready.get(member.peer.number)?.();
    this.#ready.delete(member.peer.number);
  }

  /** Resolves when this worker has told everything, or is gone. */
  async knows(number: number): Promise<void> {
    if (this.members.get(number)?.told === true) return;
    await new Promise<void>((resolve) => {
      const earlier = this.#ready.get(number);
      this.#ready.set(number, () => {
        earlier?.();
        resolve();
      });
    });
  }

  // Messages

  /** Another message begins its way. */
  begin(): void {
    this.message++;
    this.ticket = 0;
    this.slow = undefined;
  }

  /** The message on its way is for somebody in a worker that has died: who sent it is told that it was not taken. */
  lose(): void {
    const ticket = this.need();
    this.tickets.add(ticket);
    setImmediate(() => this.tickets.settle(ticket, LOST));
  }

  /** Resolves when no worker that the message went to is slow any more. */
  async relieved(): Promise<void> {
    await Promise.all((this.slow ?? []).map((peer) => peer.relieved()));
  }

  /** The ticket of the message on its way, made when it is first needed. */
  need(): number {
    if (this.ticket === 0) this.ticket = this.tickets.open();
    return this.ticket;
  }

  /** The store has committed: what waited for it is told. */
  committed(committed: number): void {
    for (const member of this.members.values()) member.advance(committed, this.tickets);
  }

  /** What the store has not committed is not going to be. */
  refuseUnsaved(committed: number): void {
    for (const member of this.members.values()) member.refuseUnsaved(committed, REFUSED);
    this.committed(committed);
  }

  // Interest

  announce(interest: Interest): void {
    for (const member of this.members.values()) this.announceTo(member, interest);
  }

  announceTo(member: Member, interest: Interest): void {
    writeInterest(member.peer, interest);
    member.sent(0, this.tickets);
  }

  /** Calls `done` when all workers have heard what this one has told them so far: at once if they have. */
  whenHeard(done: () => void): void {
    let ticket = 0;
    for (const member of this.members.values()) {
      if (!member.owing) continue;
      if (ticket === 0) ticket = this.tickets.open(done);
      member.awaitAll(ticket, this.tickets);
    }
    if (ticket === 0) done();
  }

  // Questions

  /** Asks another worker; undefined if it ends before it answers. */
  ask(number: number, question: Question): Promise<unknown> {
    const member = this.members.get(number);
    if (member === undefined) return Promise.resolve(undefined);
    const id = ++this.#questions;
    return new Promise((settle) => {
      this.#asked.set(id, { member, settle });
      writeJson(member.peer, FRAME.question, id, question);
    });
  }

  /** Asks all others. */
  async askAll(question: Question): Promise<unknown[]> {
    return Promise.all([...this.members.keys()].map((number) => this.ask(number, question)));
  }

  answered(member: Member, id: number, answer: unknown): void {
    const asked = this.#asked.get(id);
    if (asked?.member !== member) throw new RangeError('It answers what it was not asked.');
    this.#asked.delete(id);
    asked.settle(answer);
  }

  /** Tells another worker something that needs no answer. */
  say(number: number, word: Word): void {
    const member = this.members.get(number);
    if (member !== undefined) writeJson(member.peer, FRAME.word, 0, word);
  }

  sayAll(word: Word): void {
    for (const { peer } of this.members.values()) writeJson(peer, FRAME.word, 0, word);
  }
}
