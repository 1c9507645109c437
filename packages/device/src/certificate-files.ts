import type { Failure } from '@sallyport/model';
import { pause } from './abort.ts';
import { type BackoffOptions, jitteredBackoff } from './backoff.ts';
import { type PairPaths, readPair, writePair } from './pair-files.ts';
import { type EstPlace, type Pair, renewByEst } from './renew-by-est.ts';

export interface CertificateFilesOptions extends PairPaths, EstPlace {
  /** Part of its life after which a certificate is renewed; two thirds by default. A twelfth of its life is drawn on top. */
  readonly renewAfter?: number;
  /** Between attempts that failed; a minute to an hour by default. */
  readonly backoff?: BackoffOptions;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** A certificate that changes while it is used. */
export interface ChangingCertificate {
  readonly current: Pair;
  /** Calls the listener whenever it was renewed; the answer ends that. */
  onRenewed(listener: () => void): () => void;
  /** Calls the listener whenever it could not be; the answer ends that. */
  onProblem(listener: (problem: Failure) => void): () => void;
}

const SPREAD = 1 / 12;
/** Milliseconds between two renewals, whatever the certificates say. */
const LEAST = 60_000;
/** The longest time that a timer can wait, in milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

/**
 * A certificate and its key in two files, renewed over EST ahead of its end with a new key. Given to `connectDevice` it proves the device,
 * and a connection that is open moves over to the new one.
 */
export class CertificateFiles implements ChangingCertificate {
  #pair: Pair;
  readonly #options: CertificateFilesOptions;
  readonly #renewed = new Set<() => void>();
  readonly #problems = new Set<(problem: Failure) => void>();
  readonly #ending = new AbortController();
  #renewing: Promise<void> | undefined;

  private constructor(options: CertificateFilesOptions, pair: Pair) {
    this.#options = options;
    this.#pair = pair;
  }

  /**
   * Reads the files, finishes what a crash has left half done, and renews from then on.
   *
   * @throws Failure `key_material_invalid`
   */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    const files = new CertificateFiles(options, await readPair(options));
    void files.#keepRenewed();
    return files;
  }

  get current(): Pair {
    return this.#pair;
  }

  onRenewed(listener: () => void): () => void {
    this.#renewed.add(listener);
    return () => void this.#renewed.delete(listener);
  }

  onProblem(listener: (problem: Failure) => void): () => void {
    this.#problems.add(listener);
    return () => void this.#problems.delete(listener);
  }

  /**
   * Renews now, once however often it is asked for at a time.
   *
   * @throws Failure `certificate_not_renewed`
   */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Renews no more. */
  close(): void {
    this.#ending.abort();
  }

  async #renewNow(): Promise<void> {
    const pair = await renewByEst(this.#options, this.#pair, this.#ending.signal);
    await writePair(this.#options, pair);
    this.#pair = pair;
    for (const listener of this.#renewed) listener();
  }

  async #keepRenewed(): Promise<void> {
    const { signal } = this.#ending;
    const { backoff: bounds = { first: 60_000, longest: 3_600_000 }, random = Math.random } = this.#options;
    const backoff = jitteredBackoff(bounds);
    try {
      let due = await renewalDue(this.#pair.cert, this.#options.renewAfter, random);
      for (;;) {
        const wait = Math.max(0, due - Date.now());
        await pause(signal, Math.min(wait, LONGEST_TIMER), 'idle');
        if (wait > LONGEST_TIMER) continue;
        try {
          await this.renew();
          backoff.reset();
          due = Math.max(Date.now() + LEAST, await renewalDue(this.#pair.cert, this.#options.renewAfter, random));
        } catch (failure) {
          signal.throwIfAborted();
          for (const listener of this.#problems) listener(failure as Failure);
          due = Date.now() + backoff.next();
        }
      }
    } catch {
      // Closed.
    }
  }
}

/** When to renew, in milliseconds since the epoch: late in its life, and not for a whole fleet at once. */
export async function renewalDue(
  cert: string,
  renewAfter = 2 / 3,
  random: () => number = Math.random,
): Promise<number> {
  const { X509Certificate } = await import('node:crypto');
  const { validFrom, validTo } = new X509Certificate(cert);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return from + (to - from) * (renewAfter + random() * SPREAD);
}
