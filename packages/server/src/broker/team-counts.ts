import type { ClaimBook } from './claim-book.ts';
import type { BrokerContext } from './context.ts';
import { OFFICE, type Team } from './team.ts';
import type { Word } from './team-words.ts';

/** Milliseconds after which changes are told. */
const PERIOD = 500;

type Shares = Pick<Extract<Word, { say: 'shares' }>, 'principals' | 'organisations'>;

/** Tells other workers, twice a second, what has changed of the counts by which they keep the bounds of all. */
export class TeamCounts {
  readonly #context: BrokerContext;
  readonly #team: Team;
  /** Subscriptions by organisation, as they were told last. */
  readonly #told = new Map<string, number>();

  /** `book`: in the office, from which the parts of rates are told. */
  constructor(context: BrokerContext, team: Team, book: ClaimBook | undefined) {
    this.#context = context;
    this.#team = team;
    const timer = { due: 0, slot: -1, elapsed: () => {} };
    timer.elapsed = () => {
      context.wheel.schedule(timer, PERIOD);
      this.#tellSizes();
      if (book !== undefined) this.#tellShares(book);
    };
    context.wheel.schedule(timer, PERIOD);
  }

  /** Somebody has come who knows nothing: everything is told again. */
  forget(): void {
    this.#told.clear();
  }

  #tellSizes(): void {
    const { realms } = this.#context;
    const changed: [organisation: string, size: number][] = [];
    for (const [organisation, { router }] of realms) {
      if (router.size !== (this.#told.get(organisation) ?? 0)) changed.push([organisation, router.size]);
    }
    for (const organisation of this.#told.keys()) if (!realms.has(organisation)) changed.push([organisation, 0]);
    if (changed.length === 0) return;
    for (const [organisation, size] of changed) {
      if (size === 0) this.#told.delete(organisation);
      else this.#told.set(organisation, size);
    }
    this.#team.sayAll({ say: 'sizes', organisations: Object.fromEntries(changed) });
  }

  #tellShares(book: ClaimBook): void {
    const told = new Map<number, { principals: Record<string, number>; organisations: Record<string, number> }>();
    for (const kind of ['principals', 'organisations'] as const) {
      for (const name of book[kind].changed) {
        for (const [worker, share] of book[kind].shares(name)) {
          const known = told.get(worker) ?? { principals: {}, organisations: {} };
          told.set(worker, known);
          known[kind][name] = share;
        }
      }
      book[kind].changed.clear();
    }
    for (const [worker, shares] of told) {
      if (worker === OFFICE) useShares(this.#context, shares);
      else this.#team.say(worker, { say: 'shares', ...shares });
    }
  }
}

/** Lets principals and organisations use these parts of their rates in this worker. */
export function useShares({ accounts, realms }: BrokerContext, { principals, organisations }: Shares): void {
  for (const [name, share] of Object.entries(principals)) accounts.find(name)?.traffic.portion(share);
  for (const [name, share] of Object.entries(organisations)) realms.get(name)?.traffic.portion(share);
}
