import { randomBytes } from 'node:crypto';
import { type Parsed, unparsed } from '@sallyport/model';
import {
  createOcspRequest,
  mayComeOfNonce,
  ocspIssuerNames,
  readOcspResponse,
  type VerifiedOcspAnswer,
} from '@sallyport/trust';
import type { FetchOptions } from './fetch-public.ts';
import {
  FIRST_WAIT,
  type ForeignCertificate,
  type ForeignEvent,
  type ForeignStatus,
  within,
} from './foreign-source.ts';

export interface ForeignStatusesOptions {
  readonly fetch: (options: Omit<FetchOptions, 'allowedHosts'>) => Promise<Parsed<Uint8Array>>;
  /** However long an answer says that it may be used, it is asked for again after so long. Milliseconds. */
  readonly longestRest: number;
  readonly now: () => number;
  readonly emit: (event: ForeignEvent) => void;
  /** A certificate is revoked of which that was not known. */
  readonly onRevoked: (authority: string) => void;
}

interface Kept {
  readonly asked: ForeignCertificate;
  readonly url: string;
  status: ForeignStatus;
  /** What it says may be relied upon until then. Milliseconds since the epoch. */
  until: number;
  dueAt: number;
  asking?: Promise<void> | undefined;
}

const MINUTE = 60_000;
const KEPT_MAXIMUM = 20_000;
const ASKING_MAXIMUM = 64;
const ASK_TIMEOUT = 10_000;
const ANSWER_BYTES_MAXIMUM = 64 * 1024;
/** Where an answer does not say how long it may be used, and where it says very long. */
const SHORTEST_REST = 5 * MINUTE;
const LONGEST_REST = 12 * 60 * MINUTE;
const RETRY = 30_000;
/** Responders of which something is remembered. */
const PLACES_MAXIMUM = 1000;
const NO_NONCE = 'the OCSP answer repeats no nonce, as those before did: it may be an old one that somebody has kept';
const FUTURE_TOLERATED = 60 * MINUTE;
/** Answers renewed at once in the background. */
const AT_ONCE = 4;

/**
 * What the OCSP responders of imported authorities say. Asked when a certificate is first seen, kept as long as the answer permits,
 * and asked again before that is over as long as the certificate lives, so that no client waits and live sessions learn of their end.
 */
export class ForeignStatuses {
  readonly #options: ForeignStatusesOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #failing = new Set<string>();
  /** By authority and responder: whether it repeats nonces, or refuses requests with one. */
  readonly #manners = new Map<string, 'repeats' | 'none'>();
  /** By authority, issuer and serial, whichever responder said so. */
  readonly #revoked = new Map<string, { readonly revokedAt: number; readonly url: string }>();
  #asking = 0;

  constructor(options: ForeignStatusesOptions) {
    this.#options = options;
  }

  async ask(asked: ForeignCertificate, url: string): Promise<ForeignStatus> {
    const key = `${nameOf(asked.authority, asked.certificate)} ${url}`;
    const now = this.#options.now();
    let kept = this.#kept.get(key);
    if (!kept) {
      kept = { asked, url, status: { status: 'unknown', why: `${url} has not answered yet` }, until: 0, dueAt: 0 };
      this.#kept.set(key, kept);
      const oldest = this.#kept.keys().next();
      if (this.#kept.size > KEPT_MAXIMUM && !oldest.done) {
        this.#forget(oldest.value, this.#kept.get(oldest.value)?.asked ?? asked);
      }
    }
    // What is revoked stays so: no later silence makes it good.
    if (kept.status.status === 'revoked' || kept.until > now) return kept.status;
    if (kept.asking || kept.dueAt <= now) {
      if (!kept.asking && this.#asking >= ASKING_MAXIMUM) {
        return { status: 'unknown', why: 'too many certificates are being asked about at this moment' };
      }
      await within(this.#renew(kept), FIRST_WAIT, undefined);
    }
    if (kept.status.status === 'unknown' || kept.until > this.#options.now()) return kept.status;
    return { status: 'unknown', why: `the last answer of ${url} may not be used any more` };
  }

  /** Whether a responder has said that this certificate is revoked. */
  revoked(
    authority: string,
    issuerNameHash: string,
    serial: string,
  ): { readonly revokedAt: number; readonly url: string } | undefined {
    return this.#revoked.get(nameOf(authority, { issuerNameHash, serial }));
  }

  /** Asks anew about every certificate below an authority, whether that is due or not. */
  async renew(authority: string): Promise<void> {
    for (const kept of this.#kept.values()) if (kept.asked.authority === authority) kept.dueAt = 0;
    await this.tend();
  }

  /** Forgets what is known below authorities that are not asked about any more. */
  retain(authorities: ReadonlySet<string>): void {
    for (const [key, { asked }] of this.#kept) if (!authorities.has(asked.authority)) this.#forget(key, asked);
  }

  /** Renews what is due; called at short intervals. */
  async tend(): Promise<void> {
    const now = this.#options.now();
    const due: Kept[] = [];
    for (const [key, kept] of this.#kept) {
      if (kept.asked.certificate.notAfter <= now) this.#forget(key, kept.asked);
      else if (kept.dueAt <= now && !kept.asking && kept.status.status !== 'revoked') due.push(kept);
    }
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (let next = due.pop(); next; next = due.pop()) await this.#renew(next);
    });
    await Promise.all(workers);
  }

  #forget(key: string, { authority, certificate }: ForeignCertificate): void {
    this.#kept.delete(key);
    this.#revoked.delete(nameOf(authority, certificate));
  }

  #renew(kept: Kept): Promise<void> {
    kept.asking ??= this.#renewNow(kept).finally(() => {
      kept.asking = undefined;
    });
    return kept.asking;
  }

  /**
   * Asks with a nonce, so that nobody can answer with what a responder said once. Some responders know none and refuse, or repeat none: what they say
   * counts by its dates. One that has repeated a nonce before must go on doing so.
   */
  async #exchange(asked: ForeignCertificate, url: string): Promise<Parsed<VerifiedOcspAnswer>> {
    const place = `${asked.authority} ${url}`;
    const manner = this.#manners.get(place);
    if (manner !== 'none') {
      const read = await this.#askOnce(asked, url, randomBytes(32));
      if (read.ok && read.value.isFresh) this.#setManner(place, 'repeats');
      else if (read.ok && manner === 'repeats') return unparsed(NO_NONCE);
      if (read.ok || manner === 'repeats' || !mayComeOfNonce(read.problem)) return read;
    }
    const plain = await this.#askOnce(asked, url, undefined);
    if (plain.ok) this.#setManner(place, 'none');
    return plain;
  }

  async #askOnce(
    { issuer, certificate: { serial } }: ForeignCertificate,
    url: string,
    nonce: Uint8Array | undefined,
  ): Promise<Parsed<VerifiedOcspAnswer>> {
    const { fetch, now } = this.#options;
    const names = await ocspIssuerNames(issuer.der);
    const fetched = await fetch({
      url,
      body: createOcspRequest({ issuer: names, serial, nonce }),
      contentType: 'application/ocsp-request',
      maximumBytes: ANSWER_BYTES_MAXIMUM,
      timeout: ASK_TIMEOUT,
    });
    if (!fetched.ok) return fetched;
    return readOcspResponse({ response: fetched.value, issuer: issuer.der, names, serial, nonce, at: now() });
  }

  #setManner(place: string, manner: 'repeats' | 'none'): void {
    if (this.#manners.size < PLACES_MAXIMUM || this.#manners.has(place)) this.#manners.set(place, manner);
  }

  async #renewNow(kept: Kept): Promise<void> {
    const { now, emit, onRevoked, longestRest } = this.#options;
    const { url, asked } = kept;
    const { authority, certificate } = asked;
    this.#asking += 1;
    try {
      const read = await this.#exchange(asked, url);
      const at = now();
      const place = `${authority} ${url}`;
      const problem = read.ok ? staleness(read.value, at) : read.problem;
      if (!read.ok || problem !== undefined) {
        kept.dueAt = at + RETRY;
        if (kept.until <= at) kept.status = { status: 'unknown', why: `${url} gave no answer that counts: ${problem}` };
        if (!this.#failing.has(place) && this.#failing.size < PLACES_MAXIMUM) {
          this.#failing.add(place);
          emit({ type: 'revocation.failing', authority, url, problem: problem ?? '' });
        }
        return;
      }
      if (this.#failing.delete(place)) emit({ type: 'revocation.recovered', authority, url });
      const { value } = read;
      const end = Math.min(value.nextUpdate ?? at + SHORTEST_REST, at + LONGEST_REST);
      kept.until = end;
      kept.dueAt = at + Math.min(longestRest, Math.max(RETRY, (3 / 4) * (end - at)));
      if (value.status === 'revoked') {
        const { revokedAt } = value;
        kept.status = { status: 'revoked', revokedAt, url };
        this.#revoked.set(nameOf(authority, certificate), { revokedAt, url });
        onRevoked(authority);
      } else {
        kept.status =
          value.status === 'good'
            ? { status: 'good' }
            : { status: 'unknown', why: `${url} does not know the certificate` };
      }
    } finally {
      this.#asking -= 1;
    }
  }
}

function staleness(
  { thisUpdate, nextUpdate }: { readonly thisUpdate: number; readonly nextUpdate?: number },
  at: number,
): string | undefined {
  if (thisUpdate > at + FUTURE_TOLERATED) return 'its answer is of a time to come';
  if (nextUpdate !== undefined && nextUpdate <= at) return `its answer ended at ${new Date(nextUpdate).toISOString()}`;
  return undefined;
}

function nameOf(authority: string, { issuerNameHash, serial }: { issuerNameHash: string; serial: string }): string {
  return `${authority} ${issuerNameHash} ${serial}`;
}
