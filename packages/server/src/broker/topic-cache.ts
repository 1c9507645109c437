import type { Attendant, Overheard } from './attend.ts';
import type { TopicDemand } from './payload-demand.ts';
import type { Route } from './route.ts';

/** What is known about a topic that a client publishes to; its key is the topic as the client writes it. */
export interface TopicEntry {
  readonly key: Buffer;
  /** The full topic. */
  readonly topic: string;
  /** Both are the same. */
  readonly verbatim: boolean;
  allowed: boolean;
  /** More levels than the limit: never allowed. */
  readonly tooDeep: boolean;
  /** Version of the rights by which `allowed` was decided. */
  version: number;
  epoch: number;
  /** What payloads on it must be, as of `demandVersion`. */
  demand: TopicDemand | undefined;
  demandVersion: number;
  /** Undefined as long as it was never allowed: what strangers may not do costs the router nothing. */
  route: Route | undefined;
  /** Who in the server listens to it, before anybody else. */
  readonly attendant: Attendant | undefined;
  /** Who in the server listens to what others are told on it. */
  readonly overhears: ((heard: Overheard) => void) | undefined;
}

const FIRST_SLOTS = 4;
const MOST_SLOTS = 1024;
/** Longer topics are resolved each time: a stranger must not fill the memory with names. */
const LONGEST_KEY = 512;

/**
 * Topics of one session, found by their bytes without making a string. Each slot holds one topic and a newcomer takes the
 * place of the older: keys that were chosen to collide cost their owner a slow path, nothing else.
 */
export class TopicCache {
  #last: TopicEntry | undefined;
  #slots: (TopicEntry | undefined)[] | undefined;
  #used = 0;

  find(bytes: Buffer, start: number, end: number): TopicEntry | undefined {
    const last = this.#last;
    if (last !== undefined && same(last.key, bytes, start, end)) return last;
    const slots = this.#slots;
    if (slots === undefined) return undefined;
    const entry = slots[hash(bytes, start, end) & (slots.length - 1)];
    if (entry === undefined || !same(entry.key, bytes, start, end)) return undefined;
    this.#last = entry;
    return entry;
  }

  add(entry: TopicEntry): void {
    const { key } = entry;
    if (key.length > LONGEST_KEY) return;
    if (this.#last === undefined) {
      this.#last = entry;
      return;
    }
    this.#slots ??= new Array<TopicEntry | undefined>(FIRST_SLOTS).fill(undefined);
    if (this.#used * 2 >= this.#slots.length && this.#slots.length < MOST_SLOTS) this.#grow();
    this.#place(this.#last);
    this.#place(entry);
    this.#last = entry;
  }

  clear(): void {
    this.#last = undefined;
    this.#slots = undefined;
    this.#used = 0;
  }

  #place(entry: TopicEntry): void {
    const slots = this.#slots!;
    const slot = hash(entry.key, 0, entry.key.length) & (slots.length - 1);
    if (slots[slot] === undefined) this.#used++;
    slots[slot] = entry;
  }

  #grow(): void {
    const old = this.#slots!;
    this.#slots = new Array<TopicEntry | undefined>(old.length * 4).fill(undefined);
    this.#used = 0;
    for (const entry of old) if (entry !== undefined) this.#place(entry);
  }
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let index = start; index < end; index++) value = Math.imul(value ^ bytes[index]!, 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

function same(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (key.length !== length) return false;
  // Topics of one client differ at their ends.
  for (let index = length - 1; index >= 0; index--) if (key[index] !== bytes[start + index]) return false;
  return true;
}
