import { Turnstile } from './allowance.ts';
import type { ClaimAnswer, ClaimRequest } from './claim-request.ts';
import { ConnectTurns } from './connect-turns.ts';
import { KeyLocks } from './key-locks.ts';
import { metLimit, type NotOpened } from './not-opened.ts';
import type { StoredSession } from './session-store.ts';
import { Tally } from './tally.ts';

interface Entry {
  readonly organisation: string;
  readonly clientId: string;
  readonly principal: string;
  readonly takeovers: Turnstile;
  worker: number;
  connected: boolean;
  /** A claim to it was granted and is not over. */
  claimed: boolean;
  /** The session has ended under that claim, to make way or by itself. */
  ended: boolean;
  /** Of a session that nothing is kept of: what is needed to send its will when its worker dies. */
  will: StoredSession | undefined;
}

interface Claim {
  readonly worker: number;
  readonly entry: Entry;
  readonly isNew: boolean;
  /** The worker that had the session. */
  readonly from: number | undefined;
  readonly release: () => void;
}

/**
 * The office's book of who has which client id in which worker. One claim to a client id at a time; bounds of principals and organisations
 * are counted here, over all workers.
 */
export class ClaimBook {
  readonly organisations = new Tally();
  readonly principals = new Tally();
  readonly #entries = new Map<string, Entry>();
  readonly #sessions = new Map<string, number>();
  readonly #turns: ConnectTurns;
  readonly #claims = new Map<number, Claim>();
  readonly #locks = new KeyLocks();
  /** Workers that have died and whose sessions nobody has taken yet. */
  readonly #mourned = new Map<number, { readonly over: Promise<void>; readonly end: () => void }>();
  /** Tells the worker that had a session what became of it. */
  readonly #told: (worker: number, id: number, moved: boolean) => void;
  #last = 0;

  constructor(now: () => number, told: (worker: number, id: number, moved: boolean) => void) {
    this.#turns = new ConnectTurns(now);
    this.#told = told;
  }

  async claim(worker: number, request: ClaimRequest): Promise<ClaimAnswer> {
    const { organisation } = request;
    const clientId = this.#leftBy(request) ?? request.clientId;
    const key = keyOf(organisation, clientId);
    const turn = request.hasTurn ? 0 : this.#turns.wait(request, this.#entries.get(key));
    if (typeof turn !== 'number') return { refused: turn };
    if (turn > 0) return { wait: turn };
    const release = await this.#locks.take(key);
    if (release === undefined) {
      return {
        refused: { reason: 'connection_limit', text: 'Too many connections with this client id come at once.' },
      };
    }
    try {
      return await this.#grant(worker, request, clientId, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #grant(worker: number, request: ClaimRequest, clientId: string, release: () => void): Promise<ClaimAnswer> {
    const { organisation, principal } = request;
    const key = keyOf(organisation, clientId);
    for (let held = this.#entries.get(key); held !== undefined; held = this.#entries.get(key)) {
      const mourned = this.#mourned.get(held.worker);
      if (mourned === undefined) break;
      await mourned.over;
    }
    const held = this.#entries.get(key);
    const refused =
      held !== undefined && held.principal !== principal
        ? ({
            reason: 'client_id_not_permitted',
            text: `A session with this client id belongs to ${held.principal}.`,
          } as const)
        : this.#bound(request, held);
    if (refused !== undefined) {
      release();
      return { refused };
    }
    let entry = held;
    if (entry === undefined) {
      entry = newEntry(organisation, clientId, principal, worker, new Turnstile());
      this.#enter(key, entry);
    }
    this.#connect(entry, true);
    entry.claimed = true;
    const id = ++this.#last;
    const from = entry.worker === worker ? undefined : entry.worker;
    this.#claims.set(id, { worker, entry, isNew: held === undefined, from, release });
    const shares = {
      principal: this.principals.shareWith(principal, worker),
      organisation: this.organisations.shareWith(organisation, worker),
    };
    return { id, clientId, ...(from === undefined ? {} : { from }), shares };
  }

  /** What came of a claim; false if it is over already. */
  settle(worker: number, id: number, opened: boolean, will?: StoredSession): boolean {
    const claim = this.#claims.get(id);
    if (claim?.worker !== worker) return false;
    this.#claims.delete(id);
    const { entry, from, isNew } = claim;
    const key = keyOf(entry.organisation, entry.clientId);
    const { ended } = entry;
    entry.claimed = false;
    entry.ended = false;
    if (opened) {
      // A session of a worker that has died meanwhile was taken out of the book.
      const other = this.#entries.get(key);
      if (other !== entry) {
        if (other !== undefined) this.#remove(key, other);
        this.#enter(key, entry);
      }
      this.#move(entry, worker);
      this.#connect(entry, true);
      entry.will = will;
    } else if (isNew || ended) this.#remove(key, entry);
    else this.#connect(entry, false);
    if (from !== undefined) this.#told(from, id, opened);
    claim.release();
    return true;
  }

  /** A session of an absent client that this worker has, from the store. */
  keep(worker: number, organisation: string, clientId: string, principal: string): void {
    const key = keyOf(organisation, clientId);
    const held = this.#entries.get(key);
    if (held !== undefined) this.#remove(key, held);
    const takeovers = held?.takeovers ?? new Turnstile();
    this.#enter(key, newEntry(organisation, clientId, principal, worker, takeovers));
  }

  /** The client has gone. */
  away(worker: number, organisation: string, clientId: string): void {
    const entry = this.#entries.get(keyOf(organisation, clientId));
    if (entry?.worker === worker && !entry.claimed) this.#connect(entry, false);
  }

  /** The session has ended. */
  gone(worker: number, organisation: string, clientId: string): void {
    const key = keyOf(organisation, clientId);
    const entry = this.#entries.get(key);
    if (entry?.worker !== worker) return;
    if (!entry.claimed) this.#remove(key, entry);
    else {
      // It makes way. Who claims it next must not find the book empty: that would be no takeover.
      entry.ended = true;
      entry.will = undefined;
    }
  }

  /** Which worker has the session. */
  ownerOf(organisation: string, clientId: string): number | undefined {
    const entry = this.#entries.get(keyOf(organisation, clientId));
    return entry === undefined || entry.ended ? undefined : entry.worker;
  }

  // The death of a worker

  /** A worker has died: its claims are over; who wants one of its sessions waits until {@link taken}. */
  bury(worker: number): void {
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#mourned.set(worker, { over, end });
    for (const [id, claim] of [...this.#claims]) if (claim.worker === worker) this.settle(worker, id, false);
  }

  /** The sessions of a dead worker have been taken by others or are lost; answers what is known of the wills of those that are lost. */
  taken(worker: number): StoredSession[] {
    const wills: StoredSession[] = [];
    for (const [key, entry] of [...this.#entries]) {
      if (entry.worker !== worker) continue;
      if (entry.will !== undefined) wills.push(entry.will);
      this.#remove(key, entry);
    }
    this.#mourned.get(worker)?.end();
    this.#mourned.delete(worker);
    return wills;
  }

  // Bounds

  #bound({ organisation, principal, instances, limits }: ClaimRequest, held: Entry | undefined): NotOpened | undefined {
    if (held === undefined) {
      const own = this.principals.total(principal);
      const all = this.#sessions.get(organisation) ?? 0;
      if (own >= limits.principalSessions) {
        return metLimit(
          'quota_exceeded',
          'principalSessions',
          'sessions of the principal',
          own + 1,
          limits.principalSessions,
        );
      }
      if (all >= limits.sessions) {
        return metLimit('quota_exceeded', 'sessions', 'sessions of the organisation', all + 1, limits.sessions);
      }
    }
    const connected = this.organisations.total(organisation);
    if (held?.connected !== true && connected >= limits.organisationConnections) {
      const most = limits.organisationConnections;
      const what = 'connections of the organisation';
      return metLimit('quota_exceeded', 'organisationConnections', what, connected + 1, most);
    }
    if (instances === undefined || held !== undefined) return undefined;
    let found = 0;
    for (const entry of this.#entries.values()) {
      if (entry.organisation === organisation && entry.clientId.startsWith(instances)) found++;
    }
    const most = limits.scalableInstances;
    if (found < most) return undefined;
    return metLimit('quota_exceeded', 'scalableInstances', 'instances of the application', found + 1, most);
  }

  /** The session of an instance of the application that is away. */
  #leftBy({ organisation, principal, left }: ClaimRequest): string | undefined {
    if (left === undefined) return undefined;
    for (const [key, entry] of this.#entries) {
      if (entry.organisation !== organisation || entry.connected || entry.principal !== principal) continue;
      if (entry.clientId.startsWith(left) && !this.#locks.has(key)) return entry.clientId;
    }
    return undefined;
  }

  // Entries

  #enter(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#sessions.set(entry.organisation, (this.#sessions.get(entry.organisation) ?? 0) + 1);
    this.principals.add(entry.principal, entry.worker, 1);
    if (entry.connected) this.organisations.add(entry.organisation, entry.worker, 1);
  }

  #remove(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#connect(entry, false);
    this.#entries.delete(key);
    const left = (this.#sessions.get(entry.organisation) ?? 1) - 1;
    if (left === 0) this.#sessions.delete(entry.organisation);
    else this.#sessions.set(entry.organisation, left);
    this.principals.add(entry.principal, entry.worker, -1);
  }

  #connect(entry: Entry, connected: boolean): void {
    if (entry.connected === connected) return;
    entry.connected = connected;
    this.organisations.add(entry.organisation, entry.worker, connected ? 1 : -1);
  }

  #move(entry: Entry, worker: number): void {
    if (entry.worker === worker) return;
    this.principals.add(entry.principal, entry.worker, -1);
    if (entry.connected) this.organisations.add(entry.organisation, entry.worker, -1);
    entry.worker = worker;
    this.principals.add(entry.principal, worker, 1);
    if (entry.connected) this.organisations.add(entry.organisation, worker, 1);
  }
}

function newEntry(
  organisation: string,
  clientId: string,
  principal: string,
  worker: number,
  takeovers: Turnstile,
): Entry {
  const nothing = { connected: false, claimed: false, ended: false, will: undefined };
  return { organisation, clientId, principal, takeovers, worker, ...nothing };
}

function keyOf(organisation: string, clientId: string): string {
  return `${organisation}\0${clientId}`;
}
