/** What waits for the store before it may be said to a client. */
export const PUBACK = 1;
export const PUBREC = 2;
export const PUBREL = 3;
export const PUBCOMP = 4;
/** A QoS 2 message of the window. */
export const PUBLISH = 5;
/** A PUBACK or PUBREC of a message that nobody has subscribed to. */
export const UNHEARD_PUBACK = 6;
export const UNHEARD_PUBREC = 7;
/** A PUBACK or PUBREC that says no, because the store of another worker has not taken the message. */
export const REFUSED_PUBACK = 8;
export const REFUSED_PUBREC = 9;
/** The same, because another worker has ended in the midst of it. */
export const LOST_PUBACK = 10;
export const LOST_PUBREC = 11;

export function isPuback(kind: number): boolean {
  return kind === PUBACK || kind === UNHEARD_PUBACK || kind === REFUSED_PUBACK || kind === LOST_PUBACK;
}

export function isPubrec(kind: number): boolean {
  return kind === PUBREC || kind === UNHEARD_PUBREC || kind === REFUSED_PUBREC || kind === LOST_PUBREC;
}

/**
 * What one connection may say only when the store has it, in the order in which it is said. Numbers in arrays: to wait costs a
 * message no object.
 */
export class PendingAcks {
  /** True while it is in the list of those that wait for the store. */
  listed = false;
  /** PUBACKs among them. */
  pubacks = 0;
  /** The greatest number of the store that any of them has waited for. */
  latest = 0;
  #head = 0;
  readonly #kinds: number[] = [];
  readonly #packetIds: number[] = [];
  readonly #sequences: number[] = [];
  readonly #tickets: number[] = [];

  get length(): number {
    return this.#kinds.length - this.#head;
  }

  /**
   * `sequence`: number of the store's call that has to be committed; 0: it only keeps its turn. `ticket`: what other workers have to do
   * first; 0: nothing.
   */
  push(kind: number, packetId: number, sequence: number, ticket: number): void {
    if (isPuback(kind)) this.pubacks++;
    if (sequence > this.latest) this.latest = sequence;
    this.#kinds.push(kind);
    this.#packetIds.push(packetId);
    this.#sequences.push(sequence);
    this.#tickets.push(ticket);
  }

  get firstKind(): number {
    return this.#kinds[this.#head]!;
  }
  get firstPacketId(): number {
    return this.#packetIds[this.#head]!;
  }
  get firstSequence(): number {
    return this.#sequences[this.#head]!;
  }
  get firstTicket(): number {
    return this.#tickets[this.#head]!;
  }

  /** Lets what has this ticket be another kind; answers its packet identifier, 0 if there is none. */
  turn(ticket: number, kindOf: (kind: number) => number): number {
    const index = this.#tickets.indexOf(ticket, this.#head);
    if (index < 0) return 0;
    this.#kinds[index] = kindOf(this.#kinds[index]!);
    return this.#packetIds[index]!;
  }

  shift(): void {
    if (isPuback(this.firstKind)) this.pubacks--;
    this.#head++;
    if (this.#head === this.#kinds.length) this.clear();
    else if (this.#head >= 256 && this.#head * 2 >= this.#kinds.length) {
      for (const array of [this.#kinds, this.#packetIds, this.#sequences, this.#tickets]) array.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.pubacks = 0;
    this.#head = 0;
    this.#kinds.length = 0;
    this.#packetIds.length = 0;
    this.#sequences.length = 0;
    this.#tickets.length = 0;
  }
}
