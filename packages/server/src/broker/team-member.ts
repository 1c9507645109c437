import type { Peer } from '../bus/exchange.ts';
import type { Destination } from './destination.ts';
import { PairQueue } from './pair-queue.ts';
import type { Route } from './route.ts';
import { FRAME, writeNumber } from './team-frames.ts';
import { DONE, LOST, type Outcome, type Tickets } from './tickets.ts';

/** Another worker, as this one knows it: what was asked of it, and what it has asked. */
export class Member {
  readonly peer: Peer;
  /** It has told everything that it has. */
  told = false;
  /** Number of the last message that came from it (of all that it has sent to anybody). */
  lastMessage = 0;
  /** Routes of this worker that it knows by their numbers. */
  readonly knows: (Route | undefined)[] = [];
  /** Where its messages go here, by its numbers. */
  readonly destinations: (Destination | undefined)[] = [];
  /** Frames sent to it that it has to answer, and how many of them it has. */
  #sent = 0;
  #answered = 0;
  /** Number of the frame, and ticket. */
  readonly #awaited = new PairQueue();
  /** Frames from it that have to be answered, and how many were. */
  #heard = 0;
  #told = 0;
  /** Those that are not done yet: number of the frame, and of what the store has to commit. */
  readonly #stored = new PairQueue();
  /** The same, and a ticket that has to be settled. */
  readonly #chained = new PairQueue();

  constructor(peer: Peer) {
    this.peer = peer;
  }

  // What it owes this worker

  /** A frame that it has to answer was sent, for a ticket; 0: nobody waits for it. */
  sent(ticket: number, tickets: Tickets): void {
    this.#sent++;
    if (ticket === 0) return;
    tickets.add(ticket);
    this.#awaited.push(this.#sent, ticket);
  }

  /** It has not done all that it was sent. */
  get owing(): boolean {
    return this.#sent > this.#answered;
  }

  /** Lets a ticket wait for all that was sent to it. */
  awaitAll(ticket: number, tickets: Tickets): void {
    tickets.add(ticket);
    this.#awaited.push(this.#sent, ticket);
  }

  /** It has done so many. Throws a RangeError if that is more than it was sent. */
  answered(count: number, tickets: Tickets): void {
    if (count > this.#sent || count < this.#answered) throw new RangeError('It has done what nobody asked for.');
    this.#answered = count;
    while (this.#awaited.length > 0 && this.#awaited.first <= count) {
      const ticket = this.#awaited.second;
      this.#awaited.shift();
      if (ticket !== 0) tickets.settle(ticket, DONE);
    }
  }

  /** It could not do one of them. */
  refused(frame: number, outcome: Outcome, tickets: Tickets): void {
    for (const ticket of this.#awaited.replace(frame, 0)) if (ticket !== 0) tickets.settle(ticket, outcome);
  }

  /** It is gone: nothing more is waited for. */
  lost(tickets: Tickets): void {
    while (this.#awaited.length > 0) {
      const ticket = this.#awaited.second;
      this.#awaited.shift();
      if (ticket !== 0) tickets.settle(ticket, LOST);
    }
  }

  // What this worker owes it

  /** A frame came that has to be answered. */
  heard(): number {
    return ++this.#heard;
  }

  /** The frame that came last is done when the store has committed `sequence` and the ticket is settled; 0: at once. */
  owes(frame: number, sequence: number, ticket: number): void {
    if (sequence > 0) this.#stored.push(frame, sequence);
    if (ticket > 0) this.#chained.push(frame, ticket);
  }

  /** Says that a frame could not be done; it is not waited for any more. */
  refuse(frame: number, outcome: Outcome): void {
    this.#stored.replace(frame, 0);
    const at = this.peer.begin(FRAME.refused, 9);
    this.peer.bytes.writeDoubleBE(frame, at);
    this.peer.bytes[at + 8] = outcome;
  }

  /** Refuses all that the store has not committed. */
  refuseUnsaved(committed: number, outcome: Outcome): void {
    const kept: [frame: number, sequence: number][] = [];
    for (; this.#stored.length > 0; this.#stored.shift()) kept.push([this.#stored.first, this.#stored.second]);
    for (const [frame, sequence] of kept) {
      this.#stored.push(frame, sequence > committed ? 0 : sequence);
      if (sequence > committed) this.refuse(frame, outcome);
    }
  }

  /** Says how many are done, if there are more of them than it was told. */
  advance(committed: number, tickets: Tickets): void {
    while (this.#stored.length > 0 && this.#stored.second <= committed) this.#stored.shift();
    while (this.#chained.length > 0 && tickets.done(this.#chained.second)) this.#chained.shift();
    let done = this.#heard;
    if (this.#stored.length > 0) done = Math.min(done, this.#stored.first - 1);
    if (this.#chained.length > 0) done = Math.min(done, this.#chained.first - 1);
    if (done <= this.#told) return;
    this.#told = done;
    writeNumber(this.peer, FRAME.done, done);
  }
}
