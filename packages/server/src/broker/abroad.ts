import type { Peer } from '../bus/exchange.ts';
import type { Elsewhere, GroupTargets, Seats, SharedElsewhere, Subscription } from './route.ts';
import { SubscriptionTree } from './subscription-tree.ts';
import { FRAME, textSize, writeText } from './team-frames.ts';

/** What one worker tells the others of one filter. */
export interface Interest extends Seats {
  readonly organisation: string;
  readonly filter: string;
  /** Empty: not shared. */
  readonly share: string;
}

/** What other workers have of one filter; in the tree as a subscription that nobody shares. */
interface Wanted {
  readonly filter: string;
  readonly share: undefined;
  readonly group: string;
  readonly seats: Map<number, Seats>;
  readonly turn: { now: number };
}

/** Who hears what this worker has. */
export interface Announcer {
  readonly self: number;
  announce(interest: Interest): void;
}

/** Where routes are worked out. */
interface Routes {
  version: number;
}

interface Own {
  readonly filter: string;
  readonly share: string;
  members: number;
  online: number;
  keeps: boolean;
}

/**
 * What the workers tell each other of the subscriptions of one organisation: filters, with how many members each has. Messages go where
 * a filter matches, once however many match there.
 */
export class Abroad {
  readonly organisation: string;
  /** The organisation as it travels with each message. */
  readonly name: Buffer;
  readonly #routes: Routes;
  readonly #announcer: Announcer;
  readonly #tree = new SubscriptionTree<Wanted>();
  readonly #wanted = new Map<string, Wanted>();
  /** Subscriptions of each other worker, as it has told them last. */
  readonly #sizes = new Map<number, number>();
  readonly #own = new Map<string, Own>();

  constructor(organisation: string, routes: Routes, announcer: Announcer) {
    this.organisation = organisation;
    this.name = Buffer.from(organisation);
    this.#routes = routes;
    this.#announcer = announcer;
  }

  /** No other worker wants anything. */
  get empty(): boolean {
    return this.#wanted.size === 0;
  }

  // What this worker has

  added(subscription: Subscription): void {
    const { filter, share = '', receiver } = subscription;
    const key = keyOf(share, filter);
    let own = this.#own.get(key);
    if (own === undefined) {
      own = { filter, share, members: 0, online: 0, keeps: false };
      this.#own.set(key, own);
    }
    own.members++;
    if (receiver.link !== undefined) own.online++;
    // One without a client is kept, or on its way to this worker.
    const keeps = receiver.storeId > 0 || receiver.link === undefined;
    const more = keeps && !own.keeps;
    own.keeps ||= keeps;
    if (share !== '' || own.members === 1 || more) this.#tell(own);
  }

  removed(subscription: Subscription): void {
    const { filter, share = '', receiver } = subscription;
    const key = keyOf(share, filter);
    const own = this.#own.get(key);
    if (own === undefined) return;
    own.members--;
    if (receiver.link !== undefined) own.online--;
    if (own.members === 0) this.#own.delete(key);
    if (share !== '' || own.members === 0) this.#tell(own);
  }

  /** The client of these subscriptions has come (1) or gone (-1). */
  moved(subscriptions: Iterable<Subscription>, by: 1 | -1): void {
    for (const { share, filter } of subscriptions) {
      const own = share === undefined ? undefined : this.#own.get(keyOf(share, filter));
      if (own === undefined) continue;
      own.online += by;
      this.#tell(own);
    }
  }

  /** The session of these subscriptions is kept from now on. */
  kept(subscriptions: Iterable<Subscription>): void {
    for (const { share = '', filter } of subscriptions) {
      const own = this.#own.get(keyOf(share, filter));
      if (own === undefined || own.keeps) continue;
      own.keeps = true;
      this.#tell(own);
    }
  }

  /** Everything that this worker has, for one that has just come. */
  *all(): Iterable<Interest> {
    for (const own of this.#own.values()) yield this.#interest(own);
  }

  #tell(own: Own): void {
    this.#announcer.announce(this.#interest(own));
  }

  #interest({ filter, share, members, online, keeps }: Own): Interest {
    return {
      organisation: this.organisation,
      filter,
      share,
      members: share === '' ? Math.min(1, members) : members,
      online,
      keeps,
    };
  }

  // What others have

  /** Takes what another worker tells. */
  take(worker: number, { filter, share, members, online, keeps }: Interest): void {
    const key = keyOf(share, filter);
    let wanted = this.#wanted.get(key);
    if (members === 0) {
      if (wanted !== undefined) this.#forget(key, wanted, worker);
      return;
    }
    if (wanted === undefined) {
      wanted = { filter, share: undefined, group: share, seats: new Map(), turn: { now: this.#announcer.self } };
      this.#wanted.set(key, wanted);
      this.#tree.add(wanted);
    }
    if (wanted.seats.get(worker)?.keeps !== keeps) this.#routes.version++;
    wanted.seats.set(worker, { members, online, keeps });
  }

  /** Subscriptions of all other workers, as of a moment ago. */
  get size(): number {
    let size = 0;
    for (const one of this.#sizes.values()) size += one;
    return size;
  }

  takeSize(worker: number, size: number): void {
    if (size === 0) this.#sizes.delete(worker);
    else this.#sizes.set(worker, size);
  }

  /** A worker is gone. */
  lost(worker: number): void {
    this.#sizes.delete(worker);
    for (const [key, wanted] of [...this.#wanted]) this.#forget(key, wanted, worker);
  }

  #forget(key: string, wanted: Wanted, worker: number): void {
    if (!wanted.seats.delete(worker)) return;
    this.#routes.version++;
    if (wanted.seats.size > 0) return;
    this.#wanted.delete(key);
    this.#tree.remove(wanted);
  }

  /** Where messages of a topic go beyond this worker, undefined if nowhere. `groups`: those of this worker. */
  match(topic: string, groups: readonly GroupTargets[]): Elsewhere | undefined {
    if (this.#wanted.size === 0) return undefined;
    const workers = new Set<number>();
    const keepers = new Set<number>();
    const shared: SharedElsewhere[] = [];
    this.#tree.match(topic, {
      subscription({ filter, group: share, seats, turn }) {
        if (share === '') {
          for (const [worker, { keeps }] of seats) {
            workers.add(worker);
            if (keeps) keepers.add(worker);
          }
        } else shared.push({ share, filter, here: groups.find((one) => isGroup(one, share, filter)), seats, turn });
      },
      group() {},
    });
    return workers.size === 0 && shared.length === 0
      ? undefined
      : { workers: [...workers], keepers: [...keepers], groups: shared };
  }
}

/** Whether these are the members of a group, by its name and filter. */
export function isGroup({ group }: GroupTargets, share: string, filter: string): boolean {
  const [first] = group.members;
  return first?.share === share && first.filter === filter;
}

function keyOf(share: string, filter: string): string {
  return `${share}\0${filter}`;
}

export function writeInterest(peer: Peer, interest: Interest): void {
  const { organisation, filter, share, members, online, keeps } = interest;
  const at = peer.begin(FRAME.interest, 9 + textSize(organisation) + textSize(filter) + textSize(share));
  const { bytes } = peer;
  bytes.writeUInt32BE(members, at);
  bytes.writeUInt32BE(online, at + 4);
  bytes[at + 8] = keeps ? 1 : 0;
  writeText(bytes, writeText(bytes, writeText(bytes, at + 9, organisation), filter), share);
}
