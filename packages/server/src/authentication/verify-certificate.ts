import type { RefusalReason } from '@sallyport/model';
import {
  type CertificateFacts,
  readCertificate,
  type Verification,
  type VerificationProblem,
  verifyChain,
} from '@sallyport/trust';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { CertificateGrounds } from './authenticator.ts';
import type { CertificateTrust, KnownAuthority } from './certificate-standing.ts';
import type { ChainMemory } from './chain-memory.ts';

/** A chain that led to an authority, and to which organisation's; `builtin` belongs to whomever the record names. */
export interface Led {
  readonly organisation: string | undefined;
  readonly grounds: CertificateGrounds;
  /** From the certificate of the client to the trusted authority. */
  readonly path: readonly CertificateFacts[];
}

export type CertificateVerification =
  | { readonly ok: true; readonly leaf: CertificateFacts; readonly led: readonly Led[] }
  | { readonly ok: false; readonly reason: RefusalReason; readonly text: string };

type Verified = Extract<Verification, { verified: true }>;
type Refused = Extract<Verification, { verified: false }>;

/** Organisations that may trust authorities of the same name before it is too costly to try each. */
const ORGANISATIONS_TRIED = 8;

/**
 * Verifies the certificate of a handshake against the authorities of an organisation, or of every organisation that might have
 * issued it, and that of this server. Signatures, dates and usages only: revocation and names are the caller's.
 */
export async function verifyCertificate(
  { trust, memory, now }: { readonly trust: CertificateTrust; readonly memory: ChainMemory; readonly now: number },
  transport: TransportFacts,
  leaf: CertificateFacts,
  organisation: string | undefined,
): Promise<CertificateVerification> {
  const sent = transport.resumed ? memory.find(leaf.issuerNameHash) : (transport.certificateChain ?? []);
  const issuers = await Promise.all(sent.map((der) => readCertificate(der)));
  const wanted = new Set([leaf.issuerNameHash]);
  for (const issuer of issuers) if (issuer.ok) wanted.add(issuer.value.issuerNameHash);

  const known = await trust.findAuthorities({
    ...(organisation === undefined ? {} : { organisation }),
    subjectNameHashes: [...wanted],
  });
  const groups = [...grouped(known)].slice(0, ORGANISATIONS_TRIED);
  const builtIn = trust.findBuiltIn(wanted);
  const tries: (readonly [string | undefined, readonly Uint8Array[]])[] = [
    ...(builtIn.length > 0 ? [[undefined, builtIn] as const] : []),
    ...groups.map(([owner, authorities]) => [owner, authorities.map(({ der }) => der)] as const),
  ];

  const led: Led[] = [];
  let problem: Verification | undefined;
  for (const [owner, roots] of tries.length === 0 ? [[undefined, []] as const] : tries) {
    const verification = await verifyChain({ chain: [leaf.der, ...sent], roots, at: now, purpose: 'client' });
    if (!verification.verified) {
      problem ??= verification;
      continue;
    }
    memory.remember(
      leaf.issuerNameHash,
      verification.path.slice(1, -1).map(({ der }) => der),
    );
    led.push({ organisation: owner, grounds: groundsOf(verification, trust), path: verification.path });
  }
  if (led.length > 0) return { ok: true, leaf, led };
  const refused = problem as Refused;
  return { ok: false, reason: REASON_OF[refused.reason], text: textOf(refused, leaf) };
}

function grouped(authorities: readonly KnownAuthority[]): Map<string, KnownAuthority[]> {
  const groups = new Map<string, KnownAuthority[]>();
  for (const authority of authorities) {
    const group = groups.get(authority.organisation);
    if (group) group.push(authority);
    else groups.set(authority.organisation, [authority]);
  }
  return groups;
}

function groundsOf(
  { certificate, root, path }: Verified,
  trust: Pick<CertificateTrust, 'isBuiltIn'>,
): CertificateGrounds {
  // Whatever stands above it: what this server issued counts for whom it was issued to and for nobody else.
  const ours = path.slice(1).some(({ fingerprintSha256 }) => trust.isBuiltIn(fingerprintSha256));
  return {
    authority: ours ? 'builtin' : root.fingerprintSha256,
    fingerprint: certificate.fingerprintSha256,
    issuerNameHash: certificate.issuerNameHash,
    serial: certificate.serial,
    path: path.slice(0, -1).map(({ issuerNameHash, serial }) => ({ issuerNameHash, serial })),
    notAfter: Math.min(...path.map(({ notAfter }) => notAfter)),
  };
}

const REASON_OF: Readonly<Record<VerificationProblem, RefusalReason>> = {
  malformed: 'certificate_invalid',
  unknown_authority: 'certificate_unknown_authority',
  bad_signature: 'certificate_invalid',
  expired: 'certificate_expired',
  not_yet_valid: 'certificate_not_yet_valid',
  authority_expired: 'certificate_expired',
  authority_not_yet_valid: 'certificate_not_yet_valid',
  not_an_authority: 'certificate_wrong_usage',
  path_too_long: 'certificate_path_too_long',
  wrong_usage: 'certificate_wrong_usage',
  name_not_permitted: 'certificate_name_not_permitted',
  unknown_critical_extension: 'certificate_invalid',
  weak_algorithm: 'certificate_invalid',
};

const WHAT: Readonly<Record<VerificationProblem, string>> = {
  malformed: 'cannot be read as X.509, or came with too many others',
  unknown_authority: 'leads to no authority that is trusted here',
  bad_signature: 'was not signed by the authority that it names',
  expired: 'has expired',
  not_yet_valid: 'is not valid yet',
  authority_expired: 'is an authority that has expired',
  authority_not_yet_valid: 'is an authority that is not valid yet',
  not_an_authority: 'signed the one below it and is no authority',
  path_too_long: 'has more authorities below it than it allows',
  wrong_usage: 'may not be used for this',
  name_not_permitted: 'has names that an authority above it may not certify (its name constraints)',
  unknown_critical_extension: 'has a critical extension that is not understood here',
  weak_algorithm: 'is signed with a broken hash or has a key that is too short',
};

function textOf({ reason, subject, issuer: by }: Refused, leaf: CertificateFacts): string {
  const dates =
    reason === 'expired' || reason === 'not_yet_valid'
      ? ` (valid from ${new Date(leaf.notBefore).toISOString()} to ${new Date(leaf.notAfter).toISOString()})`
      : '';
  const issuer = reason === 'unknown_authority' ? `; its issuer is ${printable(by ?? leaf.issuer)}` : '';
  return `The certificate ${printable(subject ?? leaf.subject)} ${WHAT[reason]}${dates}${issuer}.`;
}

/** What a stranger wrote enters a trace only short and without control characters. */
export function printable(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length <= 120 ? clean : `${clean.slice(0, 120)}…`;
}
