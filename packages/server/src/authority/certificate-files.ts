import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Failure } from '@sallyport/model';
import {
  type CertificateAuthority,
  type CertificateFacts,
  certificatesFromPem,
  type KeyPair,
  keyPairFromPem,
  readCertificate,
  restoreAuthority,
  type VerificationProblem,
  verifyChain,
} from '@sallyport/trust';
import { readSecretFile, readTextFile } from './key-files.ts';

/** Reads an authority below the root, with its key, and checks both. */
export async function loadIssuer(
  certificatePath: string,
  keyPath: string,
  root: CertificateFacts,
  now: number,
): Promise<CertificateAuthority> {
  const certificate = await requiredCertificate(certificatePath);
  const keyPem = await requiredSecret(keyPath);
  requireBelongs(keyPath, keyPem, certificate);
  await requirePath(certificate, root, 'authority', now);
  return restoreAuthority({ certificate: certificate.facts.der, keys: await keyPairOf(keyPath, keyPem) });
}

/** A certificate file that was read, and what stands in it. */
export interface CertificateFile {
  readonly path: string;
  readonly pem: string;
  readonly chain: readonly Uint8Array[];
  readonly facts: CertificateFacts;
}

/** Undefined if there is no such file; damage is a `key_material_invalid` failure. */
export async function optionalCertificate(path: string): Promise<CertificateFile | undefined> {
  const pem = await readTextFile(path);
  if (pem === undefined) return undefined;
  const read = await readCertificate(pem);
  if (!read.ok) throw invalid(path, `is damaged: ${read.problem}`);
  return { path, pem, chain: certificatesFromPem(pem), facts: read.value };
}

/** Like {@link optionalCertificate}; that it is missing is a failure too. */
export async function requiredCertificate(path: string): Promise<CertificateFile> {
  const file = await optionalCertificate(path);
  if (!file) throw invalid(path, 'is missing');
  return file;
}

/** The text of a file that holds a key. */
export async function requiredSecret(path: string): Promise<string> {
  const pem = await readSecretFile(path);
  if (pem === undefined) throw invalid(path, 'is missing');
  return pem;
}

async function keyPairOf(path: string, pem: string): Promise<KeyPair> {
  try {
    return await keyPairFromPem(pem);
  } catch {
    throw invalid(path, 'is damaged or holds no P-256 key in PKCS#8');
  }
}

/** Fails unless the key is that of the certificate. */
export function requireBelongs(keyPath: string, keyPem: string, { path, facts }: CertificateFile): void {
  let belongs: boolean;
  try {
    belongs = new X509Certificate(facts.der).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    throw invalid(keyPath, 'is damaged: it holds no private key that can be read');
  }
  if (!belongs) throw invalid(keyPath, `does not belong to ${path}`);
}

/** Fails unless the chain of the file leads to the root at this time. */
export async function requirePath(
  { path, chain }: CertificateFile,
  root: CertificateFacts,
  purpose: 'authority' | 'server',
  at: number,
): Promise<void> {
  const verification = await verifyChain({ chain, roots: [root.der], at, purpose });
  if (verification.verified) return;
  const { reason } = verification;
  throw reason === 'not_yet_valid' || reason === 'authority_not_yet_valid'
    ? invalid(path, PROBLEMS[reason], 'Check the clock of this machine.')
    : invalid(path, PROBLEMS[reason]);
}

/** A `key_material_invalid` failure that names the file. The server's own pair is made anew without harm to any client; the authorities are not. */
export function invalid(path: string, problem: string, cure?: string): Failure {
  const isServerPair = /server(-key)?\.pem$/.test(path);
  const ownCure = cure ?? (isServerPair ? SERVER_PAIR_CURE : undefined);
  return new Failure('key_material_invalid', `${path} ${problem}`, ownCure === undefined ? {} : { cure: ownCure });
}

const SERVER_PAIR_CURE =
  'Restore server.pem and server-key.pem from a backup, or remove both: a new pair is made at the next start, under the same root.';

/** What is wrong with a file, behind its name. */
export const PROBLEMS: Readonly<Record<VerificationProblem, string>> = {
  malformed: 'is damaged',
  unknown_authority: 'does not lead to root.pem of the same folder',
  bad_signature: 'was not signed by the authority that it names',
  expired: 'has expired',
  not_yet_valid: 'is not valid yet',
  authority_expired: 'leans on an authority that has expired',
  authority_not_yet_valid: 'leans on an authority that is not valid yet',
  not_an_authority: 'is no authority, or leans on a certificate that is none',
  path_too_long: 'has more authorities above it than they allow',
  wrong_usage: 'may not be used for this purpose',
  name_not_permitted: 'has names that the authority above it may not certify',
  unknown_critical_extension: 'holds a critical extension that is not understood here',
  weak_algorithm: 'is signed with a broken hash, or has a key that is too short',
};
