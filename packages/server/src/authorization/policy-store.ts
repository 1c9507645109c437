import { Failure } from '@sallyport/model';
import { compilePolicy, type Policy, parsePolicyDocument, type PolicyDocument, WATSON_POLICY } from '@sallyport/policy';

/** The compiled policy of an organisation: the built-in statements and its own. */
export interface PolicyInForce {
  readonly policy: Policy;
  /** Never the same for two different policies, on this server, until it stops. */
  readonly version: number;
  /** A statement depends on the time: an answer holds for this minute only. */
  readonly timeBound: boolean;
}

export interface PolicyStoreOptions {
  /** Text of the organisation's own document; undefined if it has none. */
  readonly findDocument: (organisation: string) => Promise<string | undefined>;
}

/** Holds the compiled policies of the organisations that are in use. */
export class PolicyStore {
  readonly #findDocument: PolicyStoreOptions['findDocument'];
  readonly #inForce = new Map<string, PolicyInForce>();
  readonly #loading = new Map<string, Promise<PolicyInForce>>();
  #version = 0;

  constructor({ findDocument }: PolicyStoreOptions) {
    this.#findDocument = findDocument;
  }

  /** The policy in force, read from the registry if it was not asked for before. Rejects if it cannot be read or compiled. */
  load(organisation: string): PolicyInForce | Promise<PolicyInForce> {
    return this.#inForce.get(organisation) ?? this.#read(organisation);
  }

  /** The policy of an organisation that was loaded; undefined otherwise, and then nothing is permitted. */
  current(organisation: string): PolicyInForce | undefined {
    return this.#inForce.get(organisation);
  }

  /**
   * Reads the policy again after a change. Until that is done nothing is permitted in the organisation's name: a moment of
   * refusal is better than a moment of rights that were taken away.
   */
  async changed(organisation: string): Promise<void> {
    if (!this.#inForce.delete(organisation) && !this.#loading.delete(organisation)) return;
    this.#version++;
    await this.#read(organisation);
  }

  /** The organisation is gone. */
  removed(organisation: string): void {
    this.#inForce.delete(organisation);
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
        this.#inForce.set(organisation, inForce);
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
    const timeBound = documents.some(({ statements }) => statements.some(({ when }) => when?.time !== undefined));
    return { policy: compiled.policy, version: ++this.#version, timeBound };
  }
}

function invalid(organisation: string, problem = 'unknown problem'): Failure {
  return new Failure('policy_invalid', `The policy on record for organisation ${organisation} cannot be used: ${problem}`);
}
