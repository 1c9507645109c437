import { Failure, REASONS, type TraceStep, type UnlockChannel, type UnlockStatus } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import { stepOfCode } from './authenticator-app.ts';
import type { KnownPrincipal, UnlockDemand } from './known-principal.ts';
import type { Challenge, OneTimeCodes } from './one-time-code.ts';
import { SlidingCount } from './sliding-count.ts';
import { whenReady } from './when-ready.ts';

/** One connection of a device that has to prove that a person is present. */
export interface UnlockSession {
  readonly organisation: string;
  readonly clientId: string;
  /** Number of the connection; of an exchange before it, a number below 0. */
  readonly presence: number;
  /** Written form of the principal. */
  readonly principal: string;
  readonly address: string;
}

/** A code on its way to an owner. */
export interface CodeLetter extends UnlockSession {
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Mail address. */
  readonly owner?: string;
}

/** Takes a code to an owner; rejects if it could not. */
export type DeliverCode = (letter: CodeLetter) => Promise<void>;

export interface UnlockDeskOptions {
  readonly codes: OneTimeCodes;
  readonly now: () => number;
  readonly rules: {
    readonly digits: number;
    /** Milliseconds; so are the windows. */
    readonly lifetime: number;
    readonly attempts: number;
    readonly maximumRequests: number;
    readonly requestWindow: number;
    readonly maximumFailures: number;
    readonly failureWindow: number;
  };
  readonly findPrincipal: (name: string) => KnownPrincipal | undefined | Promise<KnownPrincipal | undefined>;
  readonly deliver: Readonly<Record<'mail' | 'web-hook' | 'application', DeliverCode>>;
  readonly authenticators: {
    find(principal: string): Promise<{ readonly secret: Uint8Array; readonly lastStep: number } | undefined>;
    use(principal: string, step: number): Promise<boolean>;
  };
  /** Gives the session all its rights. False if it is gone. */
  readonly raise: (session: UnlockSession) => boolean | Promise<boolean>;
  /** Ends the session. */
  readonly dismiss: (session: UnlockSession, reason: 'unlock_failed', step: TraceStep) => unknown;
  readonly emit: (event: ServerEvent) => void;
}

/** How the device is told. */
type Answer = (status: UnlockStatus) => void;

interface Waiting {
  readonly session: UnlockSession;
  readonly since: number;
  attemptsLeft: number;
  channels: readonly UnlockChannel[];
  challenge: Challenge | undefined;
  requestedAt: number | undefined;
  /** Nobody tells of the end of an exchange that was broken off: then it is over. Milliseconds since the epoch. */
  readonly until: number;
  /** A code is being looked at: a second one at the same time would be a try that is not counted. */
  checking: boolean;
}

/** A session that waits for its code, for lists. Times are milliseconds since the epoch. */
export interface PendingUnlock extends Pick<Waiting, 'since' | 'attemptsLeft' | 'channels'> {
  readonly session: UnlockSession;
  readonly requestedAt?: number;
  readonly codeExpiresAt?: number;
}

/**
 * Keeps the sessions that wait for their one-time code: makes codes, has them delivered to owners, counts tries, and raises or ends the
 * session. What is proven holds for one connection; nothing outlives it, and of a code nothing is kept but its hash.
 */
export class UnlockDesk {
  readonly #options: UnlockDeskOptions;
  readonly #waiting = new Map<string, Waiting>();
  #sweepAt = 0;
  readonly #requests: SlidingCount;
  readonly #failures: SlidingCount;

  constructor(options: UnlockDeskOptions) {
    this.#options = options;
    const { maximumRequests, requestWindow, maximumFailures, failureWindow } = options.rules;
    this.#requests = new SlidingCount(maximumRequests, requestWindow);
    this.#failures = new SlidingCount(maximumFailures, failureWindow);
  }

  /** A pending session has begun, or an exchange that ends in so many milliseconds. */
  opened(session: UnlockSession, patience = Number.POSITIVE_INFINITY): void {
    if (patience < Number.POSITIVE_INFINITY) this.#sweep();
    this.#waiting.set(keyOf(session), {
      session,
      since: this.#options.now(),
      attemptsLeft: this.#options.rules.attempts,
      channels: [],
      challenge: undefined,
      requestedAt: undefined,
      until: this.#options.now() + patience,
      checking: false,
    });
  }

  /** The connection has ended, and everything that was open in it. */
  closed(session: Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>): void {
    this.#waiting.delete(keyOf(session));
  }

  /** The sessions of an organisation that wait, by client id. */
  list(organisation: string): PendingUnlock[] {
    const { now } = this.#options;
    this.#sweep();
    return [...this.#waiting.values()]
      .filter(({ session }) => session.organisation === organisation)
      .sort((one, other) => (one.session.clientId < other.session.clientId ? -1 : 1))
      .map(({ session, since, attemptsLeft, channels, requestedAt, challenge }) => ({
        session,
        since,
        attemptsLeft,
        channels,
        ...(requestedAt !== undefined && { requestedAt }),
        ...(challenge !== undefined && challenge.expiresAt > now() && { codeExpiresAt: challenge.expiresAt }),
      }));
  }

  /**
   * The device asks for a code. `inReply` gets it too where the device type allows what makes it worthless as a proof of presence.
   * Rejects if the registry cannot be read.
   */
  async request(
    asking: Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>,
    answer: Answer,
    inReply?: (code: string) => void,
  ): Promise<void> {
    const entry = this.#find(asking);
    if (entry === undefined) {
      answer({ status: 'unlocked' });
      return;
    }
    const { session } = entry;
    const { now, emit, rules } = this.#options;
    const demand = await this.#demand(session);
    if (demand === undefined) {
      answer({ status: 'unlocked' });
      this.#lift(entry);
      return;
    }
    const wait = Math.max(this.#requests.wait(session.principal, now()), this.#failures.wait(session.principal, now()));
    if (wait > 0) {
      const cause =
        this.#failures.wait(session.principal, now()) > 0 ? 'too-many-failures' : ('too-many-requests' as const);
      emit({ type: 'unlock.refused', cause, attemptsLeft: entry.attemptsLeft, ...factsOf(session) });
      answer({ status: 'wait', retryAfter: Math.ceil(wait / 1000), attemptsLeft: entry.attemptsLeft });
      return;
    }
    this.#requests.add(session.principal, now());
    entry.channels = demand.channels;
    entry.requestedAt = now();
    entry.challenge = undefined;
    emit({ type: 'unlock.requested', channels: demand.channels, ...factsOf(session) });
    const by = await this.#deliver(entry, demand, inReply);
    if (this.#find(asking) !== entry) return;
    const { attemptsLeft } = entry;
    if (by.length === 0) answer({ status: 'undelivered', attemptsLeft });
    else {
      const { digits } = rules;
      const expiresIn = Math.floor(rules.lifetime / 1000);
      answer({ status: 'sent', by, digits, expiresIn, attemptsLeft });
    }
  }

  /** The device gives the code that a person has entered. Rejects if the registry cannot be read: then nothing is raised. */
  async respond(
    asking: Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>,
    code: string,
    answer: Answer,
  ): Promise<void> {
    const entry = this.#find(asking);
    if (entry === undefined) {
      answer({ status: 'unlocked' });
      return;
    }
    const { session } = entry;
    const { now } = this.#options;
    const wait = this.#failures.wait(session.principal, now());
    if (entry.checking || wait > 0) {
      if (wait > 0) this.#refused(entry, 'too-many-failures');
      answer({ status: 'wait', retryAfter: Math.max(1, Math.ceil(wait / 1000)), attemptsLeft: entry.attemptsLeft });
      return;
    }
    entry.checking = true;
    try {
      const outcome = await this.#check(entry, code);
      if (this.#find(asking) === entry) this.#conclude(entry, outcome, answer);
    } finally {
      entry.checking = false;
    }
  }

  /**
   * Makes a code for an operator who tells it to the person at the device; the one before is void.
   *
   * @throws Failure `not_found` if no such session waits, `invalid_request` if its device type does not give codes to operators
   */
  async makeCode(organisation: string, clientId: string, by: string): Promise<CodeLetter> {
    const entry = [...this.#waiting.values()].findLast(
      ({ session }) => session.organisation === organisation && session.clientId === clientId,
    );
    const demand = entry && (await this.#demand(entry.session));
    if (entry === undefined || demand === undefined || this.#find(entry.session) !== entry) {
      throw new Failure('not_found', `No session with the client id ${clientId} waits for a one-time code.`);
    }
    const { session } = entry;
    if (!demand.channels.includes('console')) {
      throw new Failure(
        'invalid_request',
        `The device type of ${session.principal} does not give codes to operators: its channels are ${demand.channels.join(', ')}.`,
        { cure: 'Add the channel `console` to the device type (`sallyport type set TYPE --unlock-channels …`).' },
      );
    }
    const { code, challenge } = this.#options.codes.issue(session);
    entry.channels = demand.channels;
    entry.challenge = challenge;
    this.#options.emit({ type: 'unlock.delivered', channel: 'console', by, ...factsOf(session) });
    return { ...session, code, expiresAt: challenge.expiresAt };
  }

  /** Something of an organisation was changed: sessions of which no code is asked any more need not wait for one. */
  async reconsider(organisation: string): Promise<void> {
    for (const entry of [...this.#waiting.values()]) {
      if (entry.session.organisation !== organisation) continue;
      if ((await this.#demand(entry.session)) === undefined && this.#find(entry.session) === entry) this.#lift(entry);
    }
  }

  async #demand({ principal }: UnlockSession): Promise<UnlockDemand | undefined> {
    return (await this.#options.findPrincipal(principal))?.unlock;
  }

  #find(at: Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>): Waiting | undefined {
    return this.#waiting.get(keyOf(at));
  }

  #sweep(): void {
    const now = this.#options.now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 1_000;
    for (const [key, { until }] of this.#waiting) if (until <= now) this.#waiting.delete(key);
  }

  async #deliver(
    entry: Waiting,
    demand: UnlockDemand,
    inReply: ((code: string) => void) | undefined,
  ): Promise<UnlockChannel[]> {
    const { codes, deliver, authenticators, emit } = this.#options;
    const { session } = entry;
    const carried = demand.channels.filter((channel) => channel !== 'console' && channel !== 'authenticator');
    const taken: UnlockChannel[] = demand.channels.includes('console') ? ['console'] : [];
    if (demand.channels.includes('authenticator') && (await authenticators.find(session.principal)) !== undefined) {
      taken.push('authenticator');
    }
    const replied = demand.allowCodeInReply ? inReply : undefined;
    if (carried.length === 0 && replied === undefined) return taken;
    const { code, challenge } = codes.issue(session);
    entry.challenge = challenge;
    const owner = demand.owner === undefined ? {} : { owner: demand.owner };
    const letter: CodeLetter = { ...session, code, expiresAt: challenge.expiresAt, ...owner };
    const sent = await Promise.all(
      carried.map(async (channel) => {
        try {
          await deliver[channel](letter);
          emit({ type: 'unlock.delivered', channel, ...factsOf(session) });
          return channel;
        } catch (error) {
          const problem = error instanceof Error ? error.message : String(error);
          emit({ type: 'unlock.undelivered', channel, problem, ...factsOf(session) });
          return undefined;
        }
      }),
    );
    const arrived = sent.filter((channel) => channel !== undefined);
    if (replied !== undefined) {
      emit({ type: 'unlock.code-in-reply', ...factsOf(session) });
      replied(code);
    } else if (arrived.length === 0 && entry.challenge === challenge) entry.challenge = undefined;
    return [...arrived, ...taken];
  }

  async #check(
    { session, challenge }: Waiting,
    given: string,
  ): Promise<'code' | 'authenticator' | 'wrong' | 'expired' | 'no-code'> {
    const { codes, authenticators, now } = this.#options;
    const code = given.replace(/[ -]/g, '');
    const outcome = challenge === undefined ? 'no-code' : codes.check(challenge, code, session);
    if (outcome === 'right') return 'code';
    const demand = await this.#demand(session);
    if (!demand?.channels.includes('authenticator')) return outcome;
    const known = await authenticators.find(session.principal);
    if (known === undefined) return outcome;
    const step = stepOfCode(known.secret, code, now(), known.lastStep);
    // Asked of the store at the end: of two sessions with the same code one is too late.
    return step !== undefined && (await authenticators.use(session.principal, step)) ? 'authenticator' : 'wrong';
  }

  #conclude(entry: Waiting, outcome: 'code' | 'authenticator' | 'wrong' | 'expired' | 'no-code', answer: Answer): void {
    const { session } = entry;
    const { emit, raise, dismiss, now, rules } = this.#options;
    if (outcome === 'code' || outcome === 'authenticator') {
      this.#waiting.delete(keyOf(session));
      this.#failures.forget(session.principal);
      answer({ status: 'unlocked' });
      // Of an exchange there is no session yet.
      void whenReady(raise(session), (raised) => {
        if (raised || session.presence < 0) emit({ type: 'unlock.succeeded', means: outcome, ...factsOf(session) });
      });
      return;
    }
    if (outcome !== 'wrong') {
      entry.challenge = undefined;
      this.#refused(entry, outcome);
      answer({ status: outcome, attemptsLeft: entry.attemptsLeft });
      return;
    }
    entry.attemptsLeft--;
    this.#failures.add(session.principal, now());
    this.#refused(entry, 'wrong');
    if (entry.attemptsLeft > 0) {
      answer({ status: 'wrong', attemptsLeft: entry.attemptsLeft });
      return;
    }
    this.#waiting.delete(keyOf(session));
    answer({ status: 'failed', attemptsLeft: 0 });
    emit({ type: 'unlock.failed', tries: rules.attempts, ...factsOf(session) });
    dismiss(session, 'unlock_failed', {
      stage: REASONS.unlock_failed.stage,
      outcome: 'failed',
      text: `${rules.attempts} wrong one-time codes were given in this session.`,
      compared: { what: 'tries', found: String(rules.attempts), expected: `a right code within ${rules.attempts}` },
    });
  }

  #refused(entry: Waiting, cause: 'wrong' | 'expired' | 'no-code' | 'too-many-failures'): void {
    const { attemptsLeft, session } = entry;
    this.#options.emit({ type: 'unlock.refused', cause, attemptsLeft, ...factsOf(session) });
  }

  #lift(entry: Waiting): void {
    this.#waiting.delete(keyOf(entry.session));
    const { raise, emit } = this.#options;
    void whenReady(raise(entry.session), (raised) => {
      if (raised) emit({ type: 'unlock.lifted', ...factsOf(entry.session) });
    });
  }
}

/** Neither numbers nor ids of organisations have spaces. */
function keyOf({ organisation, clientId, presence }: Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>) {
  return `${presence} ${organisation} ${clientId}`;
}

function factsOf({ organisation, principal, clientId, address }: UnlockSession) {
  return { organisation, principal, clientId, address };
}
