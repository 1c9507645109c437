import { type CertificateFacts, type Inspected, inspectCertificate } from './certificate.ts';
import { namesPermitted } from './name-constraints.ts';
import { Recent } from './recent.ts';
import type { x509 } from './x509-library.ts';

declare const verified: unique symbol;

/** A certificate whose chain led to a given root at a given time. Only {@link verifyChain} makes it. */
export interface VerifiedCertificate extends CertificateFacts {
  readonly [verified]: true;
}

/** Why a certificate was not verified. */
export type VerificationProblem =
  | 'malformed'
  | 'unknown_authority'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'authority_expired'
  | 'authority_not_yet_valid'
  | 'not_an_authority'
  | 'path_too_long'
  | 'wrong_usage'
  | 'name_not_permitted'
  | 'unknown_critical_extension'
  | 'weak_algorithm';

export type Verification =
  | {
      readonly verified: true;
      readonly certificate: VerifiedCertificate;
      readonly root: CertificateFacts;
      /** From the certificate to the root, both included. */
      readonly path: readonly CertificateFacts[];
    }
  | {
      readonly verified: false;
      readonly reason: VerificationProblem;
      /** Subject of the certificate that the reason is about, and who has issued it. */
      readonly subject?: string;
      readonly issuer?: string;
    };

export interface VerifyChainOptions {
  /** DER, leaf first; the order of the others does not matter, a root among them proves nothing. */
  readonly chain: readonly Uint8Array[];
  /** DER of the trusted roots. */
  readonly roots: readonly Uint8Array[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the leaf is used for; `authority`: to certify others. */
  readonly purpose: Purpose;
}

type Purpose = 'client' | 'server' | 'authority';

/** Certificates that a peer may send; a stranger's list must not make the search long. */
const CHAIN_LENGTH_MAXIMUM = 10;
const SIGNATURE_CHECKS_MAXIMUM = 32;

const NAME_CONSTRAINTS = '2.5.29.30';

/** Extensions that are understood here. Any other that is marked critical refuses the certificate (RFC 5280 section 4.2). */
const UNDERSTOOD = new Set([
  ...['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.35', '2.5.29.37'],
  NAME_CONSTRAINTS,
]);

/**
 * Looks for a path from the first certificate to one of the roots (RFC 5280 section 6): signatures, dates, basic and name constraints,
 * key usage and purpose of each certificate on it. Revocation, and whom the names stand for, are the caller's.
 */
export async function verifyChain({ chain, roots, at, purpose }: VerifyChainOptions): Promise<Verification> {
  if (chain.length === 0 || chain.length > CHAIN_LENGTH_MAXIMUM) return { verified: false, reason: 'malformed' };
  const presented = await Promise.all(chain.map(link));
  const anchors = (await Promise.all(roots.map(link))).filter((root) => root !== undefined);
  const leaf = presented[0];
  if (!leaf) return { verified: false, reason: 'malformed' };

  const search: Search = {
    others: presented.slice(1).filter((other) => other !== undefined),
    anchors,
    at,
    purpose,
    checks: 0,
  };
  const problem = problemOf(leaf, 'leaf', search);
  if (problem) return refused(problem, leaf);
  return climb(leaf, 0, [leaf], leaf.facts as VerifiedCertificate, search);
}

interface Link extends Inspected {
  /** Hashes of the DER of the names: texts of names are ambiguous. */
  readonly subject: string;
  readonly issuer: string;
}

interface Search {
  readonly others: readonly Link[];
  readonly anchors: readonly Link[];
  readonly at: number;
  readonly purpose: Purpose;
  checks: number;
}

async function link(der: Uint8Array): Promise<Link | undefined> {
  const inspected = await inspectCertificate(der);
  if (!inspected) return undefined;
  const { subjectNameHash, issuerNameHash } = inspected.facts;
  return { ...inspected, subject: subjectNameHash, issuer: issuerNameHash };
}

/** `below` counts the authorities between `child` and the leaf, `child` included. */
async function climb(
  child: Link,
  below: number,
  path: readonly Link[],
  leaf: VerifiedCertificate,
  search: Search,
): Promise<Verification> {
  let best: Verification = refused('unknown_authority', child);
  const candidates = [
    ...search.anchors.map((parent) => ({ parent, isRoot: true })),
    ...search.others.map((parent) => ({ parent, isRoot: false })),
  ];
  for (const { parent, isRoot } of candidates) {
    if (parent.subject !== child.issuer || (!isRoot && path.includes(parent))) continue;
    if (search.checks++ >= SIGNATURE_CHECKS_MAXIMUM) break;
    if (!(await signedBy(child, parent))) {
      if (best.reason === 'unknown_authority') best = refused('bad_signature', child);
      continue;
    }
    const problem = problemOf(parent, 'authority', search) ?? pathProblem(parent, below);
    const stranger = problem ? undefined : path.find((one) => !mayCertify(parent, one, path[0]));
    const answer = problem
      ? refused(problem, parent)
      : stranger
        ? refused('name_not_permitted', stranger)
        : isRoot
          ? ({ verified: true, certificate: leaf, root: parent.facts, path: [...path, parent].map(factsOf) } as const)
          : await climb(parent, below + 1, [...path, parent], leaf, search);
    if (answer.verified) return answer;
    best = answer;
  }
  return best;
}

function factsOf({ facts }: Link): CertificateFacts {
  return facts;
}

type Refused = Extract<Verification, { verified: false }>;

function refused(reason: VerificationProblem, { facts }: Link): Refused {
  return { verified: false, reason, subject: facts.subject, issuer: facts.issuer };
}

/** Who has signed whom, by the very bytes of both: what was true once is true for ever, and devices come again and again. */
const SIGNED = new Recent<true>(20_000);

async function signedBy(child: Link, parent: Link): Promise<boolean> {
  const pair = `${child.facts.fingerprintSha256} ${parent.facts.fingerprintSha256}`;
  if (SIGNED.find(pair)) return true;
  try {
    const { publicKey } = parent.certificate;
    const isSigned = await child.certificate.verify({ publicKey, signatureOnly: true });
    if (isSigned) SIGNED.keep(pair, true);
    return isSigned;
  } catch {
    return false;
  }
}

/** Self-issued authorities on the way (a new key of the same name) are not held against the constraints (RFC 5280 section 6.1.3). */
function mayCertify(authority: Link, below: Link, leaf: Link | undefined): boolean {
  if (below !== leaf && below.subject === below.issuer) return true;
  return namesPermitted(authority.facts.der, below.facts.der);
}

function pathProblem({ facts }: Link, below: number): VerificationProblem | undefined {
  return facts.pathLength !== undefined && below > facts.pathLength ? 'path_too_long' : undefined;
}

function problemOf(
  { certificate, facts }: Link,
  role: 'leaf' | 'authority',
  { at, purpose }: Search,
): VerificationProblem | undefined {
  if (certificate.extensions.some((extension) => extension.critical && !UNDERSTOOD.has(extension.type))) {
    return 'unknown_critical_extension';
  }
  if (isWeak(certificate)) return 'weak_algorithm';
  if (at < facts.notBefore) return role === 'leaf' ? 'not_yet_valid' : 'authority_not_yet_valid';
  if (at > facts.notAfter) return role === 'leaf' ? 'expired' : 'authority_expired';
  if (role === 'authority' || purpose === 'authority') {
    if (!facts.isAuthority) return 'not_an_authority';
    if (facts.keyUsages && !facts.keyUsages.includes('keyCertSign')) return 'wrong_usage';
  } else if (facts.keyUsages && !facts.keyUsages.includes('digitalSignature')) {
    return 'wrong_usage';
  }
  const purposes = facts.extendedKeyUsages;
  if (!purposes || purpose === 'authority' || purposes.includes(ANY_PURPOSE)) return undefined;
  return purposes.includes(purpose === 'client' ? 'clientAuth' : 'serverAuth') ? undefined : 'wrong_usage';
}

const RSA_BITS_MINIMUM = 2048;
const WEAK_HASHES = new Set(['SHA-1', 'MD5', 'MD4', 'MD2']);
/** RSA with MD2, MD4 and MD5 (RFC 8017 appendix C), which the library knows by their identifiers only. */
const WEAK_SIGNATURES = new Set(['1.2.840.113549.1.1.2', '1.2.840.113549.1.1.3', '1.2.840.113549.1.1.4']);

/** A hash in which collisions are found, or a key that can be factored (RFC 9325 section 4.4). */
function isWeak({ signatureAlgorithm, publicKey }: x509.X509Certificate): boolean {
  const { name, hash } = signatureAlgorithm as { readonly name: string; readonly hash?: { readonly name: string } };
  const { modulusLength } = publicKey.algorithm as { readonly modulusLength?: number };
  // A root's own signature proves nothing, but one with such a hash is of a time whose keys are not trusted either.
  return (
    WEAK_SIGNATURES.has(name) ||
    (hash !== undefined && WEAK_HASHES.has(hash.name.toUpperCase())) ||
    (modulusLength !== undefined && modulusLength < RSA_BITS_MINIMUM)
  );
}

/**
 * Why a certificate may not be trusted as an authority by itself; undefined if it may. Dates, basic constraints, key usage,
 * algorithms and critical extensions are looked at; who signed it is not, because whoever trusts it is the one who vouches.
 */
export async function authorityProblem(der: Uint8Array, at: number): Promise<VerificationProblem | undefined> {
  const read = await link(der);
  if (!read) return 'malformed';
  return problemOf(read, 'authority', { others: [], anchors: [], at, purpose: 'authority', checks: 0 });
}

const ANY_PURPOSE = '2.5.29.37.0';
