import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { type CertificateFacts, certificatesFromPem, pemOf, readCertificate, verifyChain } from '@sallyport/trust';
import { certifies } from './host-names.ts';

/** A server certificate of another authority, with its key: they belong together and were found fit to be shown to clients. */
export interface ServerPair {
  readonly facts: CertificateFacts;
  /** The certificate and those above it, each signed by the next; without a root, which clients have. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly keyPem: string;
  /** The end of the chain is below no root that was sent along, so nobody could check its last signature here. */
  readonly links: number;
  /** Signed by itself: clients must have been given this very certificate. */
  readonly isSelfSigned: boolean;
}

export interface PairQuestion {
  /** PEM, the server's certificate first. */
  readonly chain: string;
  /** PEM without a passphrase: PKCS#8, PKCS#1 or SEC 1. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Out of date is no problem: what is in force already goes on, and its end is told otherwise. */
  readonly inForce?: boolean;
}

const CHAIN_MAXIMUM = 10;
const RSA_BITS_MINIMUM = 2048;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Reads a chain and a key as an operator gives them, and says in a sentence what is wrong with them: order, signatures, dates, purposes, names, key.
 * No answer quotes a piece of the key.
 */
export async function checkServerPair({ chain, key, now, inForce = false }: PairQuestion): Promise<Parsed<ServerPair>> {
  const ders = certificatesFromPem(chain);
  if (ders.length === 0) return unparsed('there is no certificate in it');
  if (ders.length > CHAIN_MAXIMUM) return unparsed(`it holds ${ders.length} certificates; at most ${CHAIN_MAXIMUM}`);
  const read: CertificateFacts[] = [];
  for (const [index, der] of ders.entries()) {
    const one = await readCertificate(der);
    if (!one.ok) return unparsed(`certificate ${index + 1} of the chain cannot be read: ${one.problem}`);
    read.push(one.value);
  }
  const [leaf] = read;
  if (!leaf) return unparsed('there is no certificate in it');
  const disorder = orderProblem(read);
  if (disorder !== undefined) return unparsed(disorder);

  const privateKey = privateKeyOf(key);
  if (!privateKey) return unparsed('the key cannot be read, or is under a passphrase');
  if (!new X509Certificate(leaf.der).checkPrivateKey(privateKey))
    return unparsed(`the key does not belong to "${leaf.subject}"`);
  const weakness = keyProblem(privateKey);
  if (weakness !== undefined) return unparsed(weakness);

  const unfit = leafProblem(leaf) ?? (inForce ? undefined : dateProblem(read, now));
  if (unfit !== undefined) return unparsed(unfit);
  const last = read.at(-1) ?? leaf;
  const isSelfSigned = leaf.subjectNameHash === leaf.issuerNameHash;
  const at = inForce ? Math.min(now, ...read.map(({ notAfter }) => notAfter)) : now;
  const verification = await verifyChain({ chain: ders, roots: [last.der], at, purpose: 'server' });
  // A certificate alone leads to no authority here; what can be judged of it was judged.
  if (!verification.verified && read.length > 1)
    return unparsed(`the chain does not hold together: ${WHY[verification.reason] ?? verification.reason}`);
  if (
    !verification.verified &&
    verification.reason !== 'unknown_authority' &&
    verification.reason !== 'not_an_authority'
  )
    return unparsed(WHY[verification.reason] ?? verification.reason);

  const rootIsLast = read.length > 1 && last.subjectNameHash === last.issuerNameHash;
  const sent = rootIsLast ? ders.slice(0, -1) : ders;
  const pair: ServerPair = {
    facts: leaf,
    chainPem: sent.map((der) => pemOf('CERTIFICATE', der)).join(''),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    links: sent.length,
    isSelfSigned,
  };
  try {
    createSecureContext({ key: pair.keyPem, cert: pair.chainPem });
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    return unparsed('OpenSSL takes key and certificate for no pair that TLS could use');
  }
  return parsed(pair);
}

/** What clients may stumble over although the pair is in order. `names`: host names and addresses by which clients reach this server. */
export function pairWarnings({ facts, links, isSelfSigned }: ServerPair, names: readonly string[]): string[] {
  const missing = names.filter((name) => !certifies(facts, name));
  return [
    ...(missing.length > 0
      ? [
          `It does not list ${missing.join(', ')}: clients that connect by ${missing.length > 1 ? 'these names' : 'this name'} are shown another certificate, if one lists it, or refuse this one.`,
        ]
      : []),
    ...(isSelfSigned
      ? ['It is signed by itself: each client must be given this very certificate.']
      : links === 1
        ? ['No authority between it and a root is sent with it: clients that do not have its issuer refuse it.']
        : []),
    ...(facts.extendedKeyUsages === undefined
      ? ['It has no extended key usage: some clients take only certificates with serverAuth.']
      : []),
  ];
}

function orderProblem(chain: readonly CertificateFacts[]): string | undefined {
  const [first, second] = chain;
  if (first?.isAuthority && second)
    return `the chain is not in order: it begins with the authority "${first.subject}". The certificate of the server comes first, then each one's issuer`;
  for (const [index, { issuerNameHash, issuer, subject }] of chain.slice(0, -1).entries()) {
    const next = chain[index + 1];
    if (next && next.subjectNameHash !== issuerNameHash) {
      return `the chain is not in order: behind "${subject}" must come its issuer "${issuer}", and there is "${next.subject}". The certificate of the server comes first, then each one's issuer`;
    }
  }
  return undefined;
}

function leafProblem(leaf: CertificateFacts): string | undefined {
  const { subject, isAuthority, extendedKeyUsages, keyUsages, subjectAlternativeNames } = leaf;
  if (isAuthority) return `"${subject}" is an authority, not the certificate of a server; which must come first`;
  if (extendedKeyUsages && !extendedKeyUsages.some((purpose) => purpose === 'serverAuth' || purpose === ANY_PURPOSE))
    return `"${subject}" is not for servers: its extended key usage lists ${extendedKeyUsages.join(', ')} without serverAuth`;
  if (keyUsages && !keyUsages.includes('digitalSignature'))
    return `"${subject}" may not sign handshakes: its key usage has no digitalSignature`;
  if (subjectAlternativeNames.dns.length + subjectAlternativeNames.ip.length === 0)
    return `"${subject}" lists no host name and no address as subject alternative name; clients do not look at the common name`;
  return undefined;
}

function dateProblem(chain: readonly CertificateFacts[], now: number): string | undefined {
  for (const { subject, notBefore, notAfter } of chain) {
    if (now > notAfter) return `"${subject}" has expired at ${new Date(notAfter).toISOString()}`;
    if (now < notBefore) return `"${subject}" is not valid before ${new Date(notBefore).toISOString()}`;
  }
  return undefined;
}

function privateKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function keyProblem({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ed25519') return undefined;
  if (asymmetricKeyType === 'ec') {
    const { namedCurve = 'none' } = asymmetricKeyDetails ?? {};
    return CURVES.has(namedCurve)
      ? undefined
      : `the key is on the curve ${namedCurve}; TLS needs P-256, P-384 or P-521`;
  }
  if (asymmetricKeyType !== 'rsa')
    return `a key of the kind ${asymmetricKeyType} is of no use here; RSA, EC or Ed25519`;
  const { modulusLength = 0 } = asymmetricKeyDetails ?? {};
  return modulusLength >= RSA_BITS_MINIMUM
    ? undefined
    : `the RSA key has ${modulusLength} bits; at least ${RSA_BITS_MINIMUM} are needed`;
}

const ANY_PURPOSE = '2.5.29.37.0';

const WHY: Readonly<Record<string, string>> = {
  malformed: 'a certificate is damaged',
  unknown_authority: 'a certificate does not lead to the next',
  bad_signature: 'a certificate was not signed by the next, which only has the name of its issuer',
  not_an_authority: 'a certificate above that of the server is no authority',
  path_too_long: 'there are more authorities in it than one of them allows',
  wrong_usage: 'an authority in it may not sign certificates of servers',
  name_not_permitted: 'an authority in it may not certify the names of the server',
  unknown_critical_extension: 'a certificate has a critical extension that is not understood here',
  weak_algorithm: 'a certificate is signed with a broken hash, or its key is too short (RSA needs 2048 bits)',
};
