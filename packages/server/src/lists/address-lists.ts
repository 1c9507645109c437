import { Failure, type ListName } from '@sallyport/model';
import { parseListEntry } from '@sallyport/policy';
import { CompiledList, type HeldEntry } from './compiled-list.ts';
import { judgeAddress, type ListAnswer, type ScopeOfLists } from './judge-address.ts';
import { type ListChange, type ListStore, SERVER_SCOPE, type SettingsChange } from './list-store.ts';

export interface AddressListsOptions {
  readonly store: ListStore;
  readonly countryOf: (address: string) => string | undefined;
  readonly now: () => number;
  /** Told when an answer may have changed: of one scope, or of all. Awaited, so that a change holds when it is answered. */
  readonly onChange: (scope: string) => Promise<void>;
}

/** Who changes a list, and from where: a list that would shut out that address is not taken without `force`. */
export interface Changer {
  readonly by: string;
  readonly address: string;
  readonly force?: boolean;
}

interface Scope {
  active: 'none' | ListName;
  unknownCountry: 'allow' | 'refuse' | undefined;
  readonly black: CompiledList;
  readonly white: CompiledList;
}

/** A list may be as long as this. */
const LONGEST_LIST = 200_000;
/** Timers know no more. */
const LONGEST_WAIT = 2_147_000_000;

/** The black and white lists of all organisations and of the server, in memory and on disk. */
export class AddressLists {
  readonly #options: AddressListsOptions;
  readonly #scopes = new Map<string, Scope>();
  #timer: NodeJS.Timeout | undefined;
  /** Changes wait for each other, so that each is judged by what the one before has left. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AddressListsOptions) {
    this.#options = options;
  }

  /** Reads what is on disk; to be awaited before the first question. */
  async load(): Promise<void> {
    const { settings, entries } = await this.#options.store.load();
    for (const { scope, active, unknownCountry } of settings) {
      Object.assign(this.#scope(scope), { active, unknownCountry });
    }
    for (const { scope, list, ...held } of entries) this.#scope(scope)[list].put(held);
    this.#watchEnds();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** What the list of the scope that is on says of an address. */
  judge(scope: string, address: string): ListAnswer {
    return this.#judge(scope, this.#scopes.get(scope) ?? EMPTY, address);
  }

  /** Which list is on, and how long both are. */
  describe(scope: string) {
    const { active, unknownCountry, black, white } = this.#scopes.get(scope) ?? EMPTY;
    return { active, unknownCountry: unknownCountry ?? defaultFor(active), black: black.size, white: white.size };
  }

  /** Adds entries or changes those that are there already. Throws `invalid_request` for what is no entry, `list_shuts_out`. */
  add(
    { scope, list }: Omit<ListChange, 'by'>,
    given: readonly { readonly entry: string; readonly note?: string; readonly expiresAt?: number }[],
    changer: Changer,
  ): Promise<{ readonly added: number; readonly changed: number }> {
    return this.#inTurn(async () => {
      const entries = new Map<string, HeldEntry>();
      for (const each of given) {
        const entry = writtenForm(each.entry);
        entries.set(entry, { ...each, entry });
      }
      const present = this.#scope(scope);
      const added = [...entries.keys()].filter((entry) => !present[list].has(entry)).length;
      if (present[list].size + added > LONGEST_LIST) {
        throw new Failure('queue_full', `A list has at most ${LONGEST_LIST} entries.`, {
          cure: 'Write networks in place of single addresses.',
        });
      }
      if (list === 'black') {
        this.#demandOpen(scope, changer, present.active, (after) => {
          for (const held of entries.values()) after.black.put(held);
        });
      }
      await this.#options.store.put({ scope, list, entries: [...entries.values()], by: changer.by });
      for (const held of entries.values()) present[list].put(held);
      await this.#changed(scope);
      return { added, changed: entries.size - added };
    });
  }

  /** Throws `not_found` for an entry that is not on the list, `list_shuts_out`. */
  remove({ scope, list }: Omit<ListChange, 'by'>, given: readonly string[], changer: Changer): Promise<void> {
    return this.#inTurn(async () => {
      const entries = given.map(writtenForm);
      const present = this.#scope(scope);
      if (list === 'white') {
        this.#demandOpen(scope, changer, present.active, (after) => {
          for (const entry of entries) after.white.remove(entry);
        });
      }
      await this.#options.store.remove({ scope, list, entries, by: changer.by });
      for (const entry of entries) present[list].remove(entry);
      await this.#changed(scope);
    });
  }

  /** Turns a list on, which turns the other off, or both off. Throws `list_shuts_out`. */
  use(
    scope: string,
    { active, unknownCountry }: Pick<SettingsChange, 'active' | 'unknownCountry'>,
    changer: Changer,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const present = this.#scope(scope);
      const unknown = unknownCountry ?? (active === present.active ? present.unknownCountry : undefined);
      this.#demandOpen(scope, changer, active, (after) => {
        after.unknownCountry = unknown;
      });
      await this.#options.store.set({
        scope,
        active,
        ...(unknown === undefined ? {} : { unknownCountry: unknown }),
        forced: changer.force === true,
        by: changer.by,
      });
      present.active = active;
      present.unknownCountry = unknown;
      await this.#changed(scope);
    });
  }

  /** The countries of addresses are known otherwise than before. */
  async countriesChanged(): Promise<void> {
    for (const [scope, { active, black, white }] of this.#scopes) {
      const list = active === 'black' ? black : active === 'white' ? white : undefined;
      if (list?.namesCountries) await this.#options.onChange(scope);
    }
  }

  /** An organisation is gone, and its lists with it. */
  forget(scope: string): void {
    this.#scopes.delete(scope);
  }

  #judge(scope: string, lists: Scope, address: string): ListAnswer {
    const { countryOf, now } = this.#options;
    return judgeAddress(asked(scope, lists), { address, countryOf, now: now() });
  }

  /** Refuses a change after which nobody could pass, or not even who makes it. */
  #demandOpen(scope: string, { address, force }: Changer, active: Scope['active'], change: (after: Scope) => void) {
    if (active === 'none' || force === true) return;
    const present = this.#scope(scope);
    const after: Scope = { ...present, active, [active]: present[active].copy() };
    change(after);
    if (active === 'white' && !after.white.holdsAny(this.#options.now())) {
      throw new Failure(
        'list_shuts_out',
        'The white list has no entry that holds: turned on, it would refuse everybody.',
      );
    }
    const answer = this.#judge(scope, after, address);
    if (answer.passes) return;
    throw new Failure(
      'list_shuts_out',
      `This would shut out ${address}, from where the request comes. ${answer.step.text}`,
    );
  }

  async #changed(scope: string): Promise<void> {
    this.#watchEnds();
    await this.#options.onChange(scope);
  }

  /** Who is let in by an entry of a white list is let in until it ends, and no longer. */
  #watchEnds(): void {
    clearTimeout(this.#timer);
    const now = this.#options.now();
    let next: number | undefined;
    const due: string[] = [];
    for (const [scope, { active, white }] of this.#scopes) {
      const end = active === 'white' ? white.nextEnd(now) : undefined;
      if (end === undefined || end > (next ?? end)) continue;
      if (end !== next) due.length = 0;
      next = end;
      due.push(scope);
    }
    if (next === undefined) return;
    const wait = Math.min(next - now, LONGEST_WAIT);
    this.#timer = setTimeout(() => {
      for (const scope of due) void this.#options.onChange(scope);
      this.#watchEnds();
    }, wait);
    this.#timer.unref();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #scope(scope: string): Scope {
    let lists = this.#scopes.get(scope);
    if (lists === undefined) {
      lists = { active: 'none', unknownCountry: undefined, black: new CompiledList(), white: new CompiledList() };
      this.#scopes.set(scope, lists);
    }
    return lists;
  }
}

const EMPTY: Scope = {
  active: 'none',
  unknownCountry: undefined,
  black: new CompiledList(),
  white: new CompiledList(),
};

function asked(scope: string, lists: Scope): ScopeOfLists {
  const whole = scope === SERVER_SCOPE;
  return {
    owner: whole ? 'the server' : `organisation ${scope}`,
    option: whole ? '--server-wide' : `--org ${scope}`,
    active: lists.active,
    unknownCountry: lists.unknownCountry ?? defaultFor(lists.active),
    black: lists.black,
    white: lists.white,
  };
}

/** A black list names who is not wanted, a white list who is: whoever is not known is neither. */
function defaultFor(active: Scope['active']): 'allow' | 'refuse' {
  return active === 'white' ? 'refuse' : 'allow';
}

function writtenForm(text: string): string {
  const read = parseListEntry(text);
  if (read.ok) return read.value.text;
  throw new Failure('invalid_request', `entry: ${read.problem}.`, {
    cure: 'Write an address (192.0.2.7), a network (192.0.2.0/24), a range (192.0.2.7-192.0.2.20) or a country (DE).',
  });
}
