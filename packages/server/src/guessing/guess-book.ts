/** How guessing is counted. Durations in milliseconds. */
export interface GuessSettings {
  /** Wrong attempts of one address for one principal, before it is blocked for that principal. */
  readonly failuresPerPrincipal: number;
  /** Wrong attempts of one address for whomever, before it is blocked. */
  readonly failuresPerAddress: number;
  /** Attempts are forgotten after so long without another. */
  readonly window: number;
  /** The first block; each further one is twice as long. */
  readonly block: number;
  readonly maximumBlock: number;
}

/** Wrong attempts under one key. */
export interface GuessCount {
  readonly failures: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
  readonly blockedUntil: number;
  readonly blocks: number;
}

/** A block that holds. */
export interface GuessBlock {
  readonly network: string;
  /** Absent: for whomever. */
  readonly claim?: string;
  readonly failures: number;
  readonly until: number;
  readonly blocks: number;
}

/** Counts that are remembered; those that were touched longest ago go first. */
const COUNTS = 50_000;
const CLAIMS = 50_000;
/** Networks from which one principal is known. */
const NETWORKS_OF_ONE = 16;
/** A principal for which so many wrong attempts came, from wherever, is being guessed: from then on one is too much. */
const GUESSED = 50;
/** Who is known is noted again after so long. */
const NOTED_EVERY = 3_600_000;
const FIRST_DELAY = 125;
const LONGEST_DELAY = 2_000;

/**
 * Who has guessed, and from where whom the server knows. Counts by network (an IPv4 address, a /64 of IPv6), by network and claimed
 * principal, and by claimed principal. Pure but for its memory: time is passed in, and what changed is told.
 *
 * A claim that has come with the right proof from a network before is never blocked there, so that no stranger can lock anybody out
 * by failing in its name: a stranger's failures count for the stranger's network only.
 */
export class GuessBook {
  readonly #settings: GuessSettings;
  readonly #counts = new Map<string, GuessCount>();
  readonly #known = new Map<string, Map<string, number>>();
  readonly #knownNetworks = new Map<string, number>();
  /** Told what is to be written; undefined: removed. */
  readonly #tell: GuessListener;

  constructor(settings: GuessSettings, tell: GuessListener) {
    this.#settings = settings;
    this.#tell = tell;
  }

  restoreCount(key: string, count: GuessCount): void {
    this.#counts.set(key, count);
  }

  restoreKnown(claim: string, network: string, last: number): void {
    this.#remember(claim, network, last);
  }

  isKnown(claim: string, network: string): boolean {
    return this.#known.get(claim)?.has(network) ?? false;
  }

  /** Whether a network is blocked, and nobody is known from there. */
  closedTo(network: string, now: number): number | undefined {
    const until = this.#counts.get(addressKey(network))?.blockedUntil ?? 0;
    return until > now && !this.#knownNetworks.has(network) ? until : undefined;
  }

  /** Why the proof of a claim is not even looked at; undefined if it is. */
  blocked(network: string, claim: string, now: number): { readonly until: number; readonly text: string } | undefined {
    if (this.isKnown(claim, network)) return undefined;
    const whole = this.#counts.get(addressKey(network));
    if (whole && whole.blockedUntil > now) {
      return { until: whole.blockedUntil, text: `${network} is blocked after ${whole.failures} wrong attempts` };
    }
    const pair = this.#current(pairKey(network, claim), now);
    if (pair === undefined) return undefined;
    if (pair.blockedUntil > now) {
      return {
        until: pair.blockedUntil,
        text: `${network} is blocked for ${claim} after ${pair.failures} wrong attempts`,
      };
    }
    const guessed = this.#current(claimKey(claim), now)?.failures ?? 0;
    if (guessed < GUESSED || pair.failures === 0) return undefined;
    return {
      until: pair.last + this.#settings.window,
      text: `${claim} is being guessed (${guessed} wrong attempts from all over), and ${network} has failed for it`,
    };
  }

  /** Counts a wrong attempt. Answers how long the refusal is held back, in milliseconds, and the blocks that it brought about. */
  failed(
    network: string,
    claim: string | undefined,
    now: number,
  ): { readonly delay: number; readonly blocks: readonly GuessBlock[] } {
    const { failuresPerAddress, failuresPerPrincipal } = this.#settings;
    const blocks: GuessBlock[] = [];
    const whole = this.#count(addressKey(network), failuresPerAddress, now);
    if (whole.began) blocks.push(blockOf(network, undefined, whole.count));
    let worst = whole.count.failures / failuresPerAddress;
    if (claim !== undefined) {
      const pair = this.#count(pairKey(network, claim), failuresPerPrincipal, now);
      if (pair.began) blocks.push(blockOf(network, claim, pair.count));
      this.#count(claimKey(claim), Number.POSITIVE_INFINITY, now);
      worst = Math.max(worst, pair.count.failures / failuresPerPrincipal);
    }
    // From nothing to the longest delay on the way to a block.
    const delay = worst < 0.25 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.floor(worst * 5));
    return { delay, blocks };
  }

  /** The right proof came: the claim is known from there from now on, and what it did wrong there is forgotten. */
  passed(network: string, claims: readonly string[], now: number): void {
    for (const claim of claims) {
      this.#drop(pairKey(network, claim));
      const noted = this.#known.get(claim)?.get(network);
      if (noted !== undefined && now - noted < NOTED_EVERY) continue;
      this.#remember(claim, network, now);
      this.#tell.known(claim, network, now);
    }
  }

  blocks(now: number): GuessBlock[] {
    const found: GuessBlock[] = [];
    for (const [key, count] of this.#counts) {
      if (count.blockedUntil <= now) continue;
      const [kind, network = '', ...claim] = key.split(' ');
      if (kind === 'address') found.push(blockOf(network, undefined, count));
      if (kind === 'pair') found.push(blockOf(network, claim.join(' '), count));
    }
    return found;
  }

  /** Forgets what is held against a network, or for a claim, or both; answers how many blocks ended. */
  release({ network, claim }: { readonly network?: string; readonly claim?: string }, now: number): number {
    let released = 0;
    for (const [key, count] of [...this.#counts]) {
      const [kind, first = '', ...rest] = key.split(' ');
      const of =
        kind === 'claim' ? { network: undefined, claim: key.slice(6) } : { network: first, claim: rest.join(' ') };
      if (network !== undefined && of.network !== network) continue;
      if (claim !== undefined && of.claim !== claim) continue;
      if (count.blockedUntil > now) released++;
      this.#drop(key);
    }
    return released;
  }

  #count(key: string, most: number, now: number): { readonly count: GuessCount; readonly began: boolean } {
    const { window, block, maximumBlock } = this.#settings;
    const before = this.#counts.get(key);
    const quiet = before === undefined ? Number.POSITIVE_INFINITY : now - Math.max(before.last, before.blockedUntil);
    const failures = (before && quiet < window ? before.failures : 0) + 1;
    const blocks = before && quiet < Math.max(window, 2 * maximumBlock) ? before.blocks : 0;
    const held = before !== undefined && before.blockedUntil > now;
    // After a block each further failure blocks again: it has been told often enough.
    const began = !held && (failures >= most || (blocks > 0 && failures >= most / 2));
    const count: GuessCount = began
      ? { failures, last: now, blocks: blocks + 1, blockedUntil: now + Math.min(maximumBlock, block * 2 ** blocks) }
      : { failures, last: now, blocks, blockedUntil: before?.blockedUntil ?? 0 };
    this.#counts.delete(key);
    this.#counts.set(key, count);
    this.#tell.count(key, count);
    if (this.#counts.size > COUNTS) {
      const [oldest] = this.#counts.keys();
      if (oldest !== undefined) this.#drop(oldest);
    }
    return { count, began };
  }

  /** Undefined once it is forgotten. */
  #current(key: string, now: number): GuessCount | undefined {
    const count = this.#counts.get(key);
    if (count === undefined) return undefined;
    if (now - Math.max(count.last, count.blockedUntil) < this.#settings.window) return count;
    return { ...count, failures: 0 };
  }

  #drop(key: string): void {
    if (this.#counts.delete(key)) this.#tell.count(key, undefined);
  }

  #remember(claim: string, network: string, last: number): void {
    const networks = this.#known.get(claim) ?? new Map<string, number>();
    if (!networks.has(network)) this.#knownNetworks.set(network, (this.#knownNetworks.get(network) ?? 0) + 1);
    networks.delete(network);
    networks.set(network, last);
    this.#known.delete(claim);
    this.#known.set(claim, networks);
    const [oldestNetwork] = networks.keys();
    if (networks.size > NETWORKS_OF_ONE && oldestNetwork !== undefined) this.#forget(claim, networks, oldestNetwork);
    const [oldestClaim] = this.#known.keys();
    if (this.#known.size > CLAIMS && oldestClaim !== undefined) {
      const old = this.#known.get(oldestClaim);
      for (const each of [...(old?.keys() ?? [])]) if (old) this.#forget(oldestClaim, old, each);
      this.#known.delete(oldestClaim);
    }
  }

  #forget(claim: string, networks: Map<string, number>, network: string): void {
    networks.delete(network);
    const left = (this.#knownNetworks.get(network) ?? 1) - 1;
    if (left === 0) this.#knownNetworks.delete(network);
    else this.#knownNetworks.set(network, left);
    this.#tell.known(claim, network, undefined);
  }
}

/** Told what changed, so that it outlives the process. */
export interface GuessListener {
  count(key: string, count: GuessCount | undefined): void;
  known(claim: string, network: string, last: number | undefined): void;
}

function blockOf(
  network: string,
  claim: string | undefined,
  { failures, blockedUntil, blocks }: GuessCount,
): GuessBlock {
  return { network, ...(claim === undefined ? {} : { claim }), failures, until: blockedUntil, blocks };
}

const addressKey = (network: string): string => `address ${network}`;
const pairKey = (network: string, claim: string): string => `pair ${network} ${claim}`;
const claimKey = (claim: string): string => `claim ${claim}`;
