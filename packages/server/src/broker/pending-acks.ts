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

export function isPuback(kind: number): boolean {
  return kind === PUBACK || kind === UNHEARD_PUBACK;
}

export function isPubrec(kind: number): boolean {
  return kind === PUBREC || kind === UNHEARD_PUBREC;
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
  #head = 0;
  readonly #kinds: number[] = [];
  readonly #packetIds: number[] = [];
  readonly #sequences: number[] = [];

  get length(): number {
    return this.#kinds.length - this.#head;
  }

  /** `sequence`: number of the store's call that has to be committed; 0: it only keeps its turn. */
  push(kind: number, packetId: number, sequence: number): void {
    if (isPuback(kind)) this.pubacks++;
    this.#kinds.push(kind);
    this.#packetIds.push(packetId);
    this.#sequences.push(sequence);
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

  shift(): void {
    if (isPuback(this.firstKind)) this.pubacks--;
    this.#head++;
    if (this.#head === this.#kinds.length) this.clear();
    else if (this.#head >= 256 && this.#head * 2 >= this.#kinds.length) {
      for (const array of [this.#kinds, this.#packetIds, this.#sequences]) array.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.pubacks = 0;
    this.#head = 0;
    this.#kinds.length = 0;
    this.#packetIds.length = 0;
    this.#sequences.length = 0;
  }
}
