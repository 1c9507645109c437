import { Failure } from '@sallyport/model';
import { stepOfCode } from '../authentication/authenticator-app.ts';
import type { Challenge, OneTimeCodes } from '../authentication/one-time-code.ts';
import { SlidingCount } from '../authentication/sliding-count.ts';
import type { DeviceRequest } from './device-approval.ts';

/** A code on its way to the owner of a device. */
export interface OwnerLetter extends DeviceRequest {
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Mail address. */
  readonly owner: string;
}

export interface OwnerProofsOptions {
  readonly codes: OneTimeCodes;
  readonly now: () => number;
  /** As for the codes that devices ask for. Milliseconds. */
  readonly rules: {
    readonly attempts: number;
    readonly maximumRequests: number;
    readonly requestWindow: number;
    readonly maximumFailures: number;
    readonly failureWindow: number;
  };
  /** Mail address of the owner of a device, or of its type; undefined if nobody is named. */
  readonly ownerOf: (principal: string) => Promise<string | undefined>;
  /** Takes a code to the owner; absent where no mail is sent. */
  readonly deliver?: (letter: OwnerLetter) => Promise<void>;
  readonly authenticators: {
    find(principal: string): Promise<{ readonly secret: Uint8Array; readonly lastStep: number } | undefined>;
    use(principal: string, step: number): Promise<boolean>;
  };
  /** A name that nobody can guess. */
  readonly name: () => string;
  readonly onDefect: (problem: string) => void;
}

interface Asked {
  readonly principal: string;
  readonly userCode: string;
  readonly owner: string;
  readonly challenge: Challenge;
  attemptsLeft: number;
}

/** Challenges that wait at once; the oldest go first. */
const MOST_ASKED = 2000;
/** So many addresses together may have mails sent to one owner: a single one cannot use up what the owner needs. */
const ADDRESSES = 4;

/**
 * Owners of devices, who are no operators, prove who they are: by a code that is mailed to the address on record, or by the
 * authenticator app of the device. Whoever asks learns neither which devices exist nor who owns them.
 */
export class OwnerProofs {
  readonly #options: OwnerProofsOptions;
  readonly #asked = new Map<string, Asked>();
  readonly #requests: SlidingCount;
  readonly #requestsOfAll: SlidingCount;
  readonly #failures: SlidingCount;

  constructor(options: OwnerProofsOptions) {
    const { maximumRequests, requestWindow, maximumFailures, failureWindow } = options.rules;
    this.#options = options;
    this.#requests = new SlidingCount(maximumRequests, requestWindow);
    this.#requestsOfAll = new SlidingCount(maximumRequests * ADDRESSES, requestWindow);
    this.#failures = new SlidingCount(maximumFailures, failureWindow);
  }

  /**
   * Mails a code to the owner of the device that asks, if that is whose address was written; answers by what name the code is to be
   * shown. Nothing is waited for, so that the time tells no more than the answer. `from` is the address of who asks.
   */
  ask(find: () => Promise<DeviceRequest>, written: string, from: string): string {
    const name = this.#options.name();
    this.#send(name, find, { written, from }).catch((error: unknown) => {
      // No such request is what most strangers ask for.
      if (!(error instanceof Failure)) this.#options.onDefect(error instanceof Error ? error.message : String(error));
    });
    return name;
  }

  /** The owner in written form, if the mailed code is right; it is good once. */
  answer(name: string, code: string, request: DeviceRequest): string | undefined {
    const { codes } = this.#options;
    const asked = this.#asked.get(name);
    const { principal, userCode } = request;
    if (asked === undefined || asked.principal !== principal || asked.userCode !== userCode) return undefined;
    if (codes.check(asked.challenge, code, bindingOf(name, request)) === 'right') {
      this.#asked.delete(name);
      return writtenOwner(asked.owner);
    }
    asked.attemptsLeft--;
    if (asked.attemptsLeft <= 0) this.#asked.delete(name);
    return undefined;
  }

  /** The owner in written form, if the code is one of the authenticator app of the device that was not used before. */
  async byApp({ principal }: DeviceRequest, code: string): Promise<string | undefined> {
    const { authenticators, now, ownerOf } = this.#options;
    if (this.#failures.wait(principal, now()) > 0) return undefined;
    // Counted before it is looked at: of many that come at once none is free.
    this.#failures.add(principal, now());
    const known = await authenticators.find(principal);
    const step = known && stepOfCode(known.secret, code, now(), known.lastStep);
    if (step === undefined || !(await authenticators.use(principal, step))) return undefined;
    this.#failures.forget(principal);
    return writtenOwner((await ownerOf(principal)) ?? `authenticator of ${principal}`);
  }

  async #send(
    name: string,
    find: () => Promise<DeviceRequest>,
    { written, from }: { readonly written: string; readonly from: string },
  ): Promise<void> {
    const { codes, now, rules, ownerOf, deliver } = this.#options;
    const request = await find();
    const { principal, userCode } = request;
    const owner = await ownerOf(principal);
    if (deliver === undefined || owner === undefined || owner.toLowerCase() !== written.trim().toLowerCase()) return;
    const asking = `${principal} ${from}`;
    if (Math.max(this.#requests.wait(asking, now()), this.#requestsOfAll.wait(principal, now())) > 0) return;
    this.#requests.add(asking, now());
    this.#requestsOfAll.add(principal, now());
    const { code, challenge } = codes.issue(bindingOf(name, request));
    for (const [other, asked] of this.#asked) if (asked.userCode === userCode) this.#asked.delete(other);
    if (this.#asked.size >= MOST_ASKED) this.#asked.delete(this.#asked.keys().next().value ?? '');
    this.#asked.set(name, { principal, userCode, owner, challenge, attemptsLeft: rules.attempts });
    await deliver({ ...request, code, expiresAt: challenge.expiresAt, owner });
  }
}

/** How records speak of an owner. */
function writtenOwner(owner: string): string {
  return `owner:${owner}`;
}

function bindingOf(name: string, { principal, userCode }: DeviceRequest) {
  return { principal, clientId: `${name} ${userCode}`, presence: 0 };
}
