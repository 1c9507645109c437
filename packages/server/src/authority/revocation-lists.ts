import { type CertificateAuthority, createRevocationList, type RevokedEntry } from '@sallyport/trust';

/** A revocation list as it is published. */
export interface PublishedList {
  readonly der: Uint8Array;
  /** Milliseconds since the epoch, like `nextUpdate`. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

export interface RevocationListsOptions {
  /** What an authority has revoked, in portions. */
  readonly revoked: (issuerNameHash: string) => AsyncIterable<readonly RevokedEntry[]>;
  /** How long a list may be used. Milliseconds. */
  readonly lifetime: number;
  readonly now: () => number;
}

interface Kept {
  readonly list: PublishedList;
  readonly version: number;
  /** Milliseconds that its making took. */
  readonly took: number;
}

/** At most so often is the list of an authority made anew: ten times as long as it took, within these bounds. Milliseconds. */
const PAUSE = 1000;
const LONGEST_PAUSE = 10_000;
/** Clocks of readers may be behind. */
const BACKDATED = 5 * 60_000;
/** Authorities come and go with organisations; a list of one that is not asked for is made anew when it is. */
const KEPT_MAXIMUM = 256;

/**
 * The revocation lists of the authorities of this server. A list is made when it is asked for and the one at hand is out of date:
 * something was revoked since, or half of its life is over. Who asks then waits for it; within the pause between two the one at
 * hand is the answer.
 */
export class RevocationLists {
  readonly #options: RevocationListsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, Promise<PublishedList>>();
  #queue: Promise<unknown> = Promise.resolve();
  #version = 0;
  #number = 0;

  constructor(options: RevocationListsOptions) {
    this.#options = options;
  }

  /** Something was revoked. */
  changed(): void {
    this.#version += 1;
  }

  /** The list of an authority. Rejects only if none can be made and none is at hand that may still be used. */
  async of(authority: CertificateAuthority): Promise<PublishedList> {
    const key = authority.certificate.fingerprintSha256;
    const kept = this.#kept.get(key);
    if (kept && !this.#isDue(kept)) return kept.list;
    let making = this.#making.get(key);
    if (!making) {
      // One after the other, so that many authorities do not take the processor at once.
      making = this.#queue.then(() => this.#make(authority));
      this.#making.set(key, making);
      this.#queue = making.catch(() => {}).finally(() => this.#making.delete(key));
    }
    try {
      return await making;
    } catch (error) {
      if (kept && kept.list.nextUpdate > this.#options.now()) return kept.list;
      throw error;
    }
  }

  #isDue({ list, version, took }: Kept): boolean {
    const age = this.#options.now() - list.thisUpdate - BACKDATED;
    if (age < 0 || age > this.#options.lifetime / 2) return true;
    return version !== this.#version && age > Math.min(LONGEST_PAUSE, Math.max(PAUSE, 10 * took));
  }

  async #make(authority: CertificateAuthority): Promise<PublishedList> {
    const { revoked, lifetime, now } = this.#options;
    const version = this.#version;
    const began = now();
    // It must grow over restarts too, and nothing else does without being stored.
    this.#number = Math.max(this.#number + 1, began);
    const [thisUpdate, nextUpdate] = [began - BACKDATED, began + lifetime];
    const der = await createRevocationList({
      authority,
      number: this.#number,
      thisUpdate,
      nextUpdate,
      revoked: revoked(authority.certificate.subjectNameHash),
    });
    const list = { der, thisUpdate, nextUpdate };
    const key = authority.certificate.fingerprintSha256;
    this.#kept.delete(key);
    this.#kept.set(key, { list, version, took: now() - began });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > KEPT_MAXIMUM && !oldest.done) this.#kept.delete(oldest.value);
    return list;
  }
}
