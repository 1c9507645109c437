import { BoundedMap } from './bounded-map.ts';
import type { Executor } from './ground.ts';
import type { Answer, Lookup, StoredPrincipal } from './lookup.ts';
import { readByKey, readByUsername, readPrincipal } from './read-principal.ts';
import type { RegistryChange } from './records.ts';

export interface LookupOptions {
  readonly query: Executor;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Principals that are kept; 20,000 if left out. */
  readonly principals?: number;
}

/** Names that nobody has: kept apart, so that a stranger's inventions cannot push out those who exist. */
const ABSENT_KEPT = 10_000;
const ABSENT_FOR = 5_000;
/** No name that is registered is longer: what is longer is not asked of the disk and not kept. */
const LONGEST_NAME = 256;

/** {@link Lookup} with its memory, which the registry empties of whatever it changes. */
export class CachedLookup implements Lookup {
  readonly #options: LookupOptions;
  readonly #principals: BoundedMap<StoredPrincipal>;
  /** User name, application key or organisation to what it stands for. */
  readonly #aliases: BoundedMap<string>;
  readonly #absent = new BoundedMap<number>(ABSENT_KEPT);
  readonly #flights = new Map<string, Promise<unknown>>();
  #generation = 0;

  constructor(options: LookupOptions) {
    this.#options = options;
    const most = options.principals ?? 20_000;
    this.#principals = new BoundedMap(most);
    this.#aliases = new BoundedMap(most);
  }

  byPrincipal(name: string): Answer<StoredPrincipal | undefined> {
    return this.#through(this.#principals, principalKey(name), () => readPrincipal(this.#options.query, name));
  }

  byUsername(username: string): Answer<StoredPrincipal | undefined> {
    return this.#byAlias(`username ${username}`, () => readByUsername(this.#options.query, username));
  }

  byApplicationKey(key: string): Answer<StoredPrincipal | undefined> {
    return this.#byAlias(`key ${key}`, () => readByKey(this.#options.query, key));
  }

  organisationExists(id: string): Answer<boolean> {
    const alias = `organisation ${id}`;
    const found = this.#through(this.#aliases, alias, async () => {
      const select = this.#options.query.selectFrom('organisations').select('id').where('id', '=', id);
      return (await select.executeTakeFirst())?.id;
    });
    return found instanceof Promise ? found.then((value) => value !== undefined) : found !== undefined;
  }

  /** Forgets what a change touches. Called before anybody else hears of the change. */
  forget(change: RegistryChange): void {
    this.#generation += 1;
    this.#absent.clear();
    if (change.kind === 'policy') return;
    if (change.principal !== undefined) {
      this.#principals.delete(principalKey(change.principal));
      this.#aliases.clear();
      return;
    }
    this.#aliases.clear();
    for (const [key, { principal }] of this.#principals.entries()) {
      if (principal.kind !== 'operator' && principal.organisation === change.organisation) this.#principals.delete(key);
    }
  }

  #byAlias(alias: string, read: () => Promise<string | undefined>): Answer<StoredPrincipal | undefined> {
    const name = this.#through(this.#aliases, alias, read);
    if (name instanceof Promise)
      return name.then((found) => (found === undefined ? undefined : this.byPrincipal(found)));
    return name === undefined ? undefined : this.byPrincipal(name);
  }

  #through<V>(kept: BoundedMap<V>, key: string, read: () => Promise<V | undefined>): Answer<V | undefined> {
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (key.length > LONGEST_NAME) return undefined;
    const absentUntil = this.#absent.get(key);
    if (absentUntil !== undefined && this.#options.now() < absentUntil) return undefined;

    const flying = this.#flights.get(key) as Promise<V | undefined> | undefined;
    if (flying) return flying;
    const flight = this.#fly(kept, key, read).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Reads until nothing has changed meanwhile: a revocation must not be answered with what was true before it. */
  async #fly<V>(kept: BoundedMap<V>, key: string, read: () => Promise<V | undefined>): Promise<V | undefined> {
    for (;;) {
      const generation = this.#generation;
      const value = await read();
      if (generation !== this.#generation) continue;
      if (value === undefined) this.#absent.set(key, this.#options.now() + ABSENT_FOR);
      else kept.set(key, value);
      return value;
    }
  }
}

/** Principals and aliases share the memory of what is absent, so their keys must not meet. */
function principalKey(name: string): string {
  return `principal ${name}`;
}
