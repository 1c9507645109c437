import type { RefusalReason, TraceStep } from '@sallyport/model';
import { networkOf } from '@sallyport/policy';
import type { ServerEvent } from '../events/events.ts';
import type { GuessBlock, GuessBook } from './guess-book.ts';

/** A client that wants to prove that it is somebody. */
export interface Attempt {
  readonly address: string;
  /** Written form of whom it claims to be, or its user name; empty if it claims nobody. */
  readonly claim: string;
}

export interface GuessGuardOptions {
  readonly book: GuessBook;
  /** Addresses that are not counted: this machine, where proxies live. */
  readonly exempt: (address: string) => boolean;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}

/** Reasons that a guess meets. A credential that was right once is no guess, nor is one that could not be judged. */
const GUESSES: ReadonlySet<RefusalReason> = new Set([
  'wrong_secret',
  'unknown_identity',
  'unknown_organisation',
  'no_valid_credential',
  'wrong_user_name',
  // Told apart in private only: to whoever guesses it is a name that nobody has.
  'proves_by_scram',
  'access_token_invalid',
]);
/** Of these a claim is worth counting: whoever it names exists. */
const OF_SOMEBODY: ReadonlySet<RefusalReason> = new Set(['wrong_secret', 'no_valid_credential']);
/** Refusals that are held back at once; more are told without a delay, and the block comes all the same. */
const HELD_BACK = 1000;

/** Stands before every check of a secret: slows guessing down, and stops it. */
export class GuessGuard {
  readonly #options: GuessGuardOptions;
  #heldBack = 0;

  constructor(options: GuessGuardOptions) {
    this.#options = options;
  }

  /** Why the attempt is not judged; undefined if it is. */
  blocked({ address, claim }: Attempt): { readonly step: TraceStep; readonly cure: string } | undefined {
    const { book, exempt, now } = this.#options;
    if (exempt(address)) return undefined;
    const found = book.blocked(networkOf(address), claim, now());
    if (found === undefined) return undefined;
    return { step: { stage: 'limits', outcome: 'failed', text: `${sentence(found.text, found.until)}` }, cure: CURE };
  }

  /** For listeners: why an address may not even begin; undefined if it may, or if somebody is known from there. */
  closedTo(address: string): string | undefined {
    const { book, exempt, now } = this.#options;
    if (exempt(address)) return undefined;
    const network = networkOf(address);
    const until = book.closedTo(network, now());
    return until === undefined ? undefined : sentence(`${network} is blocked after too many wrong attempts`, until);
  }

  /** Counts a refusal if it was a guess. What it answers is to be awaited before the client is told. */
  failed({ address, claim }: Attempt, reason: RefusalReason): void | Promise<void> {
    const { book, exempt, now } = this.#options;
    if (!GUESSES.has(reason) || exempt(address)) return undefined;
    const named = claim !== '' && OF_SOMEBODY.has(reason) ? claim : undefined;
    const { delay, blocks } = book.failed(networkOf(address), named, now());
    for (const block of blocks) this.#tell(address, reason, block);
    if (delay === 0 || this.#heldBack >= HELD_BACK) return undefined;
    this.#heldBack++;
    return new Promise((resolve) => {
      setTimeout(() => {
        this.#heldBack--;
        resolve();
      }, delay).unref();
    });
  }

  /** The proof was right: that of a claim, and of the principal that it turned out to be. */
  passed({ address, claim }: Attempt, principal: string): void {
    const claims = claim === '' || claim === principal ? [principal] : [claim, principal];
    this.#options.book.passed(networkOf(address), claims, this.#options.now());
  }

  list(): readonly GuessBlock[] {
    return this.#options.book.blocks(this.#options.now());
  }

  /** Ends blocks: of an address, or for a principal, or all. Answers how many. */
  release({ address, principal }: { readonly address?: string; readonly principal?: string }): number {
    return this.#options.book.release(
      {
        ...(address === undefined ? {} : { network: address.endsWith('/64') ? address : networkOf(address) }),
        ...(principal === undefined ? {} : { claim: principal }),
      },
      this.#options.now(),
    );
  }

  #tell(address: string, reason: RefusalReason, { network, claim, failures, until }: GuessBlock): void {
    this.#options.emit({
      type: 'guessing.blocked',
      address,
      network,
      ...(claim === undefined ? {} : { claim }),
      reason,
      failures,
      until: new Date(until).toISOString(),
    });
  }
}

const CURE =
  'Look for a client with a wrong secret that retries without a pause. `sallyport block list` shows what is blocked, `sallyport block release ADDRESS` ends it; a client that has connected from there before is not affected.';

function sentence(text: string, until: number): string {
  return `${text}; the next is heard at ${new Date(until).toISOString()}.`;
}
