import { Failure, type Principal, parsePrincipal } from '@sallyport/model';
import { type CertificateFacts, type PublicKey, readCertificate } from '@sallyport/trust';
import type { Authority } from '../authority/authority.ts';
import type { NewCertificate } from '../registry/certificates.ts';

/** Who can have a client certificate. */
export type Owner = Exclude<Principal, { kind: 'operator' }>;

/** The facts of a certificate as the registry keeps them. */
export type RecordedFacts = Omit<NewCertificate, 'principal' | 'by'>;

/** A certificate that is signed and not on record yet: until it is, it is worth nothing. */
export interface FreshCertificate {
  readonly facts: RecordedFacts;
  readonly der: Uint8Array;
  readonly pem: string;
  readonly chainPem: string;
}

/** Signs a certificate with the authority of an organisation. What the request wants to be called is a wish; this is the name. */
export async function signCertificate(
  authority: Pick<Authority, 'issueClient'>,
  options: {
    readonly organisation: string;
    readonly publicKey: PublicKey;
    readonly commonName: string;
    readonly validity?: number | undefined;
  },
): Promise<FreshCertificate> {
  const { validity, ...rest } = options;
  const issued = await authority.issueClient({ ...rest, ...(validity === undefined ? {} : { validity }) });
  const read = await readCertificate(issued.der);
  if (!read.ok) throw new Error(`the authority issued what it cannot read: ${read.problem}`);
  return { facts: recorded(read.value), der: issued.der, pem: issued.pem, chainPem: issued.chainPem };
}

export function recorded({
  fingerprintSha256,
  issuerNameHash,
  issuer,
  serial,
  subject,
  notBefore,
  notAfter,
}: CertificateFacts): RecordedFacts {
  return { fingerprint: fingerprintSha256, issuerNameHash, issuer, serial, subject, notBefore, notAfter };
}

/** Reads the written form. */
export function ownerOf(written: string): Owner {
  const principal = parsePrincipal(written);
  if (!principal.ok || principal.value.kind === 'operator') {
    throw new Failure('invalid_request', `principal: ${written} is no device, gateway or application.`);
  }
  return principal.value;
}

/** The common name of watson-iot.md section 3.4, which holds no organisation. */
export function commonNameOf(owner: Owner): string {
  if (owner.kind === 'application') return `a:${owner.id}`;
  return `${owner.kind === 'device' ? 'd' : 'g'}:${owner.type}:${owner.id}`;
}
