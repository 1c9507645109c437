import { Failure, REASONS, type TraceStep, type UnlockStatus } from '@sallyport/model';
import { type CodeCheckOptions, type CodeOutcome, codeCheck } from './code-check.ts';
import { type CodeDeliveryOptions, type CodeLetter, codeDelivery, type SendCode } from './code-delivery.ts';
import type { KnownPrincipal, UnlockDemand } from './known-principal.ts';
import { SlidingCount } from './sliding-count.ts';
import { type ConnectionName, factsOf, type UnlockSession } from './unlock-session.ts';
import { type PendingUnlock, type Waiting, WaitingSessions } from './waiting-sessions.ts';
import { whenReady } from './when-ready.ts';

export interface UnlockDeskOptions extends CodeDeliveryOptions, Omit<CodeCheckOptions, 'demandOf'> {
  readonly authenticators: CodeCheckOptions['authenticators'];
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
  /** Gives the session all its rights. False if it is gone. */
  readonly raise: (session: UnlockSession) => boolean | Promise<boolean>;
  /** Ends the session. */
  readonly dismiss: (session: UnlockSession, reason: 'unlock_failed', step: TraceStep) => unknown;
}

/** How the device is told. */
type Answer = (status: UnlockStatus) => void;

/**
 * Sees each session that waits for its one-time code through: has codes delivered to owners, counts tries, and raises or ends the session. What
 * is proven holds for one connection; nothing outlives it, and of a code nothing is kept but its hash.
 */
export class UnlockDesk {
  readonly #options: UnlockDeskOptions;
  readonly #waiting: WaitingSessions;
  readonly #send: SendCode;
  readonly #check: ReturnType<typeof codeCheck>;
  readonly #requests: SlidingCount;
  readonly #failures: SlidingCount;

  constructor(options: UnlockDeskOptions) {
    this.#options = options;
    this.#waiting = new WaitingSessions(options.now);
    this.#send = codeDelivery(options);
    this.#check = codeCheck({ ...options, demandOf: (session) => this.#demand(session) });
    const { maximumRequests, requestWindow, maximumFailures, failureWindow } = options.rules;
    this.#requests = new SlidingCount(maximumRequests, requestWindow);
    this.#failures = new SlidingCount(maximumFailures, failureWindow);
  }

  /** A pending session has begun, or an exchange that ends in so many milliseconds. */
  opened(session: UnlockSession, patience?: number): void {
    this.#waiting.add(session, this.#options.rules.attempts, patience);
  }

  /** The connection has ended, and everything that was open in it. */
  closed(connection: ConnectionName): void {
    this.#waiting.remove(connection);
  }

  /** The sessions of an organisation that wait, by client id. */
  list(organisation: string): PendingUnlock[] {
    return this.#waiting.list(organisation);
  }

  /**
   * The device asks for a code. `inReply` gets it too where the device type allows what makes it worthless as a proof of presence.
   * Rejects if the registry cannot be read.
   */
  async request(asking: ConnectionName, answer: Answer, inReply?: (code: string) => void): Promise<void> {
    const entry = this.#waiting.find(asking);
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
    const by = await this.#send(entry, demand, inReply);
    if (!this.#waiting.has(entry)) return;
    const { attemptsLeft } = entry;
    if (by.length === 0) answer({ status: 'undelivered', attemptsLeft });
    else {
      const { digits } = rules;
      const expiresIn = Math.floor(rules.lifetime / 1000);
      answer({ status: 'sent', by, digits, expiresIn, attemptsLeft });
    }
  }

  /** The device gives the code that a person has entered. Rejects if the registry cannot be read: then nothing is raised. */
  async respond(asking: ConnectionName, code: string, answer: Answer): Promise<void> {
    const entry = this.#waiting.find(asking);
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
      const outcome = await this.#check(session, entry.challenge, code);
      if (this.#waiting.has(entry)) this.#conclude(entry, outcome, answer);
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
    const entry = this.#waiting.of(organisation).findLast(({ session }) => session.clientId === clientId);
    const demand = entry && (await this.#demand(entry.session));
    if (entry === undefined || demand === undefined || !this.#waiting.has(entry)) {
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
    for (const entry of this.#waiting.of(organisation)) {
      if ((await this.#demand(entry.session)) === undefined && this.#waiting.has(entry)) this.#lift(entry);
    }
  }

  async #demand({ principal }: UnlockSession): Promise<UnlockDemand | undefined> {
    return (await this.#options.findPrincipal(principal))?.unlock;
  }

  #conclude(entry: Waiting, outcome: CodeOutcome, answer: Answer): void {
    const { session } = entry;
    const { emit, raise, dismiss, now, rules } = this.#options;
    if (outcome === 'code' || outcome === 'authenticator') {
      this.#waiting.remove(session);
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
    this.#waiting.remove(session);
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
    this.#waiting.remove(entry.session);
    const { raise, emit } = this.#options;
    void whenReady(raise(entry.session), (raised) => {
      if (raised) emit({ type: 'unlock.lifted', ...factsOf(entry.session) });
    });
  }
}
