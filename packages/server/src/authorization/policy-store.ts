import { Failure } from '@sallyport/model';
import {
  compilePolicy,
  nextTimeChange,
  type Policy,
  type PolicyDocument,
  parsePolicyDocument,
  WATSON_POLICY,
} from '@sallyport/policy';

/** The compiled policy of an organisation: the built-in statements and its own. */
export interface PolicyInForce {
  readonly policy: Policy;
  /** Never the same for two different policies, on this server, until it stops. */
  readonly version: number;
  /** When a condition on time next begins or ceases to hold (milliseconds since the epoch); answers may be kept until then. */
  readonly until: number;
}

/** Where the policy in force of one organisation is found: asked for each message, so it is not looked up by name. */
export interface PolicyHome {
  inForce: PolicyInForce | undefined;
}

export interface PolicyStoreOptions {
  /** Text of the organisation's own document; undefined if it has none. */
  readonly findDocument: (organisation: string) => Promise<string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Holds the compiled policies of the organisations that are in use. */
export class PolicyStore {
  readonly #findDocument: PolicyStoreOptions['findDocument'];
  readonly #now: () => number;
  readonly #homes = new Map<string, PolicyHome>();
  readonly #loading = new Map<string, Promise<PolicyInForce>>();
  #version = 0;

  constructor({ findDocument, now }: PolicyStoreOptions) {
    this.#findDocument = findDocument;
    this.#now = now;
  }

  /** The policy in force, read from the registry if it was not asked for before. Rejects if it cannot be read or compiled. */
  load(organisation: string): PolicyInForce | Promise<PolicyInForce> {
    return this.#homes.get(organisation)?.inForce ?? this.#read(organisation);
  }

  /** The policy of an organisation that was loaded; undefined otherwise, and then nothing is permitted. */
  current(organisation: string): PolicyInForce | undefined {
    return this.currentAt(this.home(organisation));
  }

  /** As {@link current}, without a look at any name. */
  currentAt(home: PolicyHome): PolicyInForce | undefined {
    const { inForce } = home;
    if (inForce === undefined || inForce.until === Number.POSITIVE_INFINITY) return inForce;
    if (inForce.until > this.#now()) return inForce;
    home.inForce = { policy: inForce.policy, version: ++this.#version, until: this.#until(inForce.policy) };
    return home.inForce;
  }

  /** Where a session of the organisation finds its policy, now and after each change. */
  home(organisation: string): PolicyHome {
    let home = this.#homes.get(organisation);
    if (home === undefined) {
      home = { inForce: undefined };
      this.#homes.set(organisation, home);
    }
    return home;
  }

  /**
   * Reads the policy again after a change. Until that is done nothing is permitted in the organisation's name: a moment of
   * refusal is better than a moment of rights that were taken away.
   */
  async changed(organisation: string): Promise<void> {
    const home = this.home(organisation);
    if (home.inForce === undefined && !this.#loading.delete(organisation)) return;
    home.inForce = undefined;
    this.#version++;
    await this.#read(organisation);
  }

  /** The organisation is gone. */
  removed(organisation: string): void {
    this.home(organisation).inForce = undefined;
    this.#homes.delete(organisation);
    this.#loading.delete(organisation);
  }

  #read(organisation: string): Promise<PolicyInForce> {
    const pending = this.#loading.get(organisation);
    if (pending) return pending;
    const reading: Promise<PolicyInForce> = this.#findDocument(organisation).then((text) => {
      const inForce = this.#compile(organisation, text);
      // A change may have come while the old text was being read: then this answer is used once and not kept.
      if (this.#loading.get(organisation) === reading) {
        this.#loading.delete(organisation);
        this.home(organisation).inForce = inForce;
      }
      return inForce;
    });
    this.#loading.set(organisation, reading);
    reading.catch(() => {
      if (this.#loading.get(organisation) === reading) this.#loading.delete(organisation);
    });
    return reading;
  }

  #compile(organisation: string, text: string | undefined): PolicyInForce {
    const documents: PolicyDocument[] = [WATSON_POLICY];
    if (text !== undefined) {
      const own = parsePolicyDocument(text);
      if (!own.ok) throw invalid(organisation, own.problems[0]?.problem);
      documents.push(own.document);
    }
    const compiled = compilePolicy(documents);
    if (!compiled.ok) throw invalid(organisation, compiled.problems[0]?.problem);
    return { policy: compiled.policy, version: ++this.#version, until: this.#until(compiled.policy) };
  }

  #until(policy: Policy): number {
    return nextTimeChange(policy, this.#now()) ?? Number.POSITIVE_INFINITY;
  }
}

function invalid(organisation: string, problem = 'unknown problem'): Failure {
  return new Failure(
    'policy_invalid',
    `The policy on record for organisation ${organisation} cannot be used: ${problem}`,
  );
}
