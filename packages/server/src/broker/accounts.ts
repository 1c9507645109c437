import { Allowance, Turnstile } from './allowance.ts';
import { Few } from './few.ts';

/** What one principal has of the broker, over all its sessions `S`. */
export class Account<S extends object> {
  /** Written form of the principal. */
  readonly name: string;
  /** Live and kept. */
  readonly sessions = new Few<S>();
  /** What its clients may send. */
  readonly traffic = new Allowance();
  /** How often it may connect. */
  readonly connects = new Turnstile();
  /** When the last session went, in milliseconds since the epoch. */
  idleSince: number;

  constructor(name: string, now: number) {
    this.name = name;
    this.idleSince = now;
  }
}

/** An account without sessions is remembered so long, or who reconnects in a loop would start with a fresh allowance each time. */
const REMEMBERED = 60_000;

/** The accounts of all principals that have sessions, or had some a moment ago: no more than are registered. */
export class Accounts<S extends object> {
  readonly #accounts = new Map<string, Account<S>>();
  /** In the order in which they became idle; who has come back meanwhile stands here still. */
  #idle: { readonly account: Account<S>; readonly since: number }[] = [];
  #gone = 0;

  find(name: string): Account<S> | undefined {
    return this.#accounts.get(name);
  }

  /** The account of a principal, made when it is first needed. `now` in milliseconds since the epoch. */
  of(name: string, now: number): Account<S> {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new Account<S>(name, now);
      this.#accounts.set(name, account);
      this.#rest(account, now);
    }
    return account;
  }

  leave(account: Account<S>, session: S, now: number): void {
    account.sessions.delete(session);
    if (account.sessions.size === 0) this.#rest(account, now);
  }

  #rest(account: Account<S>, now: number): void {
    account.idleSince = now;
    this.#idle.push({ account, since: now });
    this.#forget(now);
  }

  /** Forgets at most two for each that comes, so that no call takes long. */
  #forget(now: number): void {
    for (let turn = 0; turn < 2; turn++) {
      const oldest = this.#idle[this.#gone];
      if (oldest === undefined || now - oldest.since < REMEMBERED) break;
      this.#gone++;
      const { account, since } = oldest;
      if (account.sessions.size > 0 || account.idleSince !== since) continue;
      this.#accounts.delete(account.name);
    }
    if (this.#gone > 1000 && this.#gone * 2 > this.#idle.length) {
      this.#idle = this.#idle.slice(this.#gone);
      this.#gone = 0;
    }
  }
}
