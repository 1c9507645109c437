import {
  type AskedCertificate,
  type CertificateAuthority,
  type CertificateStatus,
  createOcspResponse,
  type OcspIssuerNames,
  ocspIssuerNames,
  ocspRefusal,
  readOcspRequest,
} from '@sallyport/trust';

export interface OcspResponderOptions {
  /** The authorities that it answers for, of this moment. */
  readonly issuers: () => readonly CertificateAuthority[];
  /** What is on record of a certificate. Asked anew for each answer that is signed. */
  readonly statusOf: (name: { readonly issuerNameHash: string; readonly serial: string }) => Promise<CertificateStatus>;
  readonly now: () => number;
}

export interface OcspAnswer {
  readonly der: Uint8Array;
  /** When a cache must ask again; absent if the answer is for this one request. Milliseconds since the epoch. */
  readonly freshUntil?: number;
}

/** How long clients may rely on an answer. Milliseconds. */
const LIFETIME = 60 * 60_000;
/** How long an answer is given again without asking the registry; a revocation ends it at once. Milliseconds. */
const REPEATED = 10 * 60_000;
const BACKDATED = 5 * 60_000;
const KEPT_MAXIMUM = 20_000;
/** Answers signed in a second: a signature each is what strangers could use up the processor with. */
const SIGNED_PER_SECOND = 500;

/**
 * Says of certificates that this server issued whether they are revoked (RFC 6960). Signed with the key of the authority itself. An
 * answer without a nonce is kept and given again; what may be signed is bounded, and beyond it the answer is `tryLater`.
 */
export class OcspResponder {
  readonly #options: OcspResponderOptions;
  readonly #names = new Map<string, OcspIssuerNames>();
  readonly #kept = new Map<string, OcspAnswer & { readonly until: number }>();
  #second = 0;
  #signed = 0;

  constructor(options: OcspResponderOptions) {
    this.#options = options;
  }

  /** Something was issued or revoked: what was said before may be wrong. */
  changed(): void {
    this.#kept.clear();
  }

  async answer(request: Uint8Array): Promise<OcspAnswer> {
    const read = readOcspRequest(request);
    if (!read.ok) return { der: ocspRefusal('malformedRequest') };
    const { asked, nonce } = read.value;
    const authority = await this.#authorityOf(asked);
    if (!authority) return { der: ocspRefusal('unauthorized') };
    const now = this.#options.now();
    // Several in one request are rare and would make keys without end.
    const key = nonce || asked.length > 1 ? undefined : Buffer.from(asked[0]?.id ?? []).toString('base64');
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept && kept.until > now) return kept;
    if (!this.#maySign(now)) return { der: ocspRefusal('tryLater') };
    const answers = await Promise.all(
      asked.map(async (one) => ({ id: one.id, status: await this.#statusOf(one, authority) })),
    );
    const der = await createOcspResponse({
      authority,
      answers,
      nonce,
      thisUpdate: now - BACKDATED,
      nextUpdate: now + LIFETIME,
    });
    if (key === undefined) return { der };
    const answer = { der, freshUntil: now + REPEATED, until: now + REPEATED };
    this.#kept.set(key, answer);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > KEPT_MAXIMUM && !oldest.done) this.#kept.delete(oldest.value);
    return answer;
  }

  /** The one that all are asked of: an answer has one signature. */
  async #authorityOf(asked: readonly AskedCertificate[]): Promise<CertificateAuthority | undefined> {
    for (const authority of this.#options.issuers()) {
      const names = await this.#namesOf(authority);
      if (asked.some((one) => isOf(one, names))) return authority;
    }
    return undefined;
  }

  async #namesOf({ certificate }: CertificateAuthority): Promise<OcspIssuerNames> {
    const known = this.#names.get(certificate.fingerprintSha256);
    if (known) return known;
    const names = await ocspIssuerNames(certificate.der);
    this.#names.set(certificate.fingerprintSha256, names);
    return names;
  }

  async #statusOf(one: AskedCertificate, authority: CertificateAuthority): Promise<CertificateStatus> {
    if (!isOf(one, await this.#namesOf(authority))) return { status: 'unknown' };
    const { subjectNameHash } = authority.certificate;
    return this.#options.statusOf({ issuerNameHash: subjectNameHash, serial: one.serial });
  }

  #maySign(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#signed = 0;
    }
    return ++this.#signed <= SIGNED_PER_SECOND;
  }
}

function isOf({ hash, issuerNameHash, issuerKeyHash }: AskedCertificate, names: OcspIssuerNames): boolean {
  return hash !== undefined && names[hash].name === issuerNameHash && names[hash].key === issuerKeyHash;
}
