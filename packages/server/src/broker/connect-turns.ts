import { Turnstile } from './allowance.ts';
import type { ClaimRequest } from './claim-request.ts';
import type { LimitName } from './limits.ts';
import { type NotOpened, TURN_BURST } from './not-opened.ts';

/** Principals whose rate of connecting is remembered. */
const REMEMBERED = 100_000;

/** The session that is there already, if any. */
interface Held {
  readonly connected: boolean;
  readonly principal: string;
  /** How often its connections may push each other out. */
  readonly takeovers: Turnstile;
}

/** Lets the clients of each principal connect at its rate, over all workers. */
export class ConnectTurns {
  readonly #now: () => number;
  readonly #connects = new Map<string, Turnstile>();

  /** `now` in milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds until the turn of a client, or the bound that it has met. */
  wait({ principal, limits }: ClaimRequest, held: Held | undefined): number | NotOpened {
    const now = this.#now();
    const { connectDeadline: patience, connectRate, takeoverRate } = limits;
    const wait = this.#of(principal).pass(now, connectRate, connectRate * TURN_BURST, patience);
    if (wait === undefined) return tooFast('connectRate', 'connections of the principal per second', connectRate);
    if (held?.connected !== true || held.principal !== principal) return wait;
    const turn = held.takeovers.pass(now, takeoverRate, takeoverRate * TURN_BURST, patience);
    if (turn === undefined) return tooFast('takeoverRate', 'takeovers of the client id per second', takeoverRate);
    return Math.max(wait, turn);
  }

  #of(principal: string): Turnstile {
    const known = this.#connects.get(principal) ?? new Turnstile();
    this.#connects.delete(principal);
    if (this.#connects.size >= REMEMBERED) {
      const [oldest] = this.#connects.keys();
      if (oldest !== undefined) this.#connects.delete(oldest);
    }
    this.#connects.set(principal, known);
    return known;
  }
}

function tooFast(name: LimitName, what: string, most: number): NotOpened {
  const limit = { name, what, found: most + 1, most };
  return { reason: 'connection_limit', text: `More ${what} than are allowed, for longer than may be waited.`, limit };
}
