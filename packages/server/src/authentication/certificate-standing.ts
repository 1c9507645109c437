import type { CertificateGrounds } from './authenticator.ts';
import { type ForeignNews, revokedBy } from './foreign-revocation.ts';
import type { Fallen } from './standing.ts';

/** A certificate authority whose certificates an organisation takes. */
export interface KnownAuthority {
  readonly organisation: string;
  /** SHA-256 of the DER, lower-case hexadecimal; so are the other hashes. */
  readonly fingerprint: string;
  readonly der: Uint8Array;
}

/** What is on record of a client certificate. */
export interface KnownCertificate {
  readonly organisation: string;
  /** Written form; absent for a foreign one and for a claim. */
  readonly principal?: string;
  readonly kind: 'issued' | 'pinned' | 'foreign' | 'claim';
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** What judging a certificate asks of the registry. Every answer is of this moment. */
export interface CertificateTrust {
  /** DER of the authorities of this server with one of these subjects. What they issued counts only if it is on record. */
  findBuiltIn(subjectNameHashes: ReadonlySet<string>): readonly Uint8Array[];
  /** True for the SHA-256 of an authority of this server. */
  isBuiltIn(fingerprint: string): boolean;
  findAuthorities(wanted: {
    readonly organisation?: string;
    readonly subjectNameHashes: readonly string[];
  }): Promise<readonly KnownAuthority[]>;
  trusts(organisation: string, fingerprint: string): Promise<boolean>;
  findBySerial(name: {
    readonly issuerNameHash: string;
    readonly serial: string;
  }): Promise<readonly KnownCertificate[]>;
  findPin(fingerprint: string): Promise<KnownCertificate | undefined>;
  /** What imported authorities say of revocation; left out, nobody is asked. */
  readonly news?: ForeignNews;
}

/**
 * Why a certificate that was verified does not count, or no longer; undefined if it does. Asked when a session opens, and again
 * whenever the registry changes under a live one.
 */
export async function certificateStanding(
  trust: Pick<CertificateTrust, 'trusts' | 'findBySerial' | 'findPin' | 'news'>,
  certificate: CertificateGrounds,
  { organisation, principal }: { readonly organisation: string; readonly principal: string },
  now: number,
): Promise<Fallen | undefined> {
  const { authority, fingerprint, serial, notAfter } = certificate;
  if (notAfter <= now) {
    return { reason: 'certificate_expired', text: `Certificate ${serial} expired at ${iso(notAfter)}.` };
  }
  if (authority === 'pinned') {
    const pin = await trust.findPin(fingerprint);
    if (pin?.revokedAt !== undefined) return revoked('The pinned certificate', serial, pin);
    if (pin?.principal !== principal) {
      return {
        reason: 'certificate_unknown_authority',
        text: `Certificate ${serial} is not pinned to ${principal} any more.`,
      };
    }
  } else if (authority === 'builtin') {
    const rows = await trust.findBySerial(certificate);
    if (rows.some(({ kind }) => kind === 'claim')) {
      return { reason: 'claim_only', text: `Certificate ${serial} is a claim, which may do nothing but enrol.` };
    }
    const record = rows.find(({ kind }) => kind === 'issued');
    if (record?.revokedAt !== undefined) return revoked('The certificate', serial, record);
    if (record?.principal !== principal) {
      return { reason: 'certificate_not_on_record', text: `No certificate ${serial} of ${principal} is on record.` };
    }
  } else if (!(await trust.trusts(organisation, authority))) {
    return {
      reason: 'certificate_unknown_authority',
      text: `Organisation "${organisation}" does not trust the authority ${authority} any more.`,
    };
  }
  const learnt = await learntRevocation(trust.news, certificate, organisation);
  if (learnt) return learnt;
  for (const link of certificate.path) {
    const rows = await trust.findBySerial(link);
    // A pin that was revoked may have been made anew since: it was looked at above.
    const record = rows.find(
      (row) => row.kind !== 'pinned' && row.organisation === organisation && row.revokedAt !== undefined,
    );
    if (record) return revoked('The certificate, or one above it,', link.serial, record);
  }
  return undefined;
}

/** What the lists and responders of an imported authority have said already; nobody is asked here. */
async function learntRevocation(
  news: ForeignNews | undefined,
  { authority, path }: CertificateGrounds,
  organisation: string,
): Promise<Fallen | undefined> {
  if (!news || authority === 'pinned' || authority === 'builtin') return undefined;
  for (const { issuerNameHash, serial } of path) {
    const known = news.known(authority, issuerNameHash, serial);
    // News that another organisation has asked for is news here only if it is wanted here.
    if (known && ((await news.policyOf(organisation, authority))?.mode ?? 'off') !== 'off')
      return revokedBy(serial, known);
  }
  return undefined;
}

function revoked(what: string, serial: string, { revokedAt, revokedBy }: KnownCertificate): Fallen {
  return {
    reason: 'certificate_revoked',
    text: `${what} ${serial} was revoked by ${revokedBy ?? 'the system'} at ${iso(revokedAt ?? 0)}.`,
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
