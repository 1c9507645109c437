import type { VerificationKey } from './signing-key.ts';
import { x509 } from './x509-library.ts';

/** SubjectPublicKeyInfo of a P-256 key begins with these bytes; the point follows (RFC 5480). */
const P256_PREFIX = '3059301306072a8648ce3d020106082a8648ce3d030107034200';

/** The P-256 key that a certificate is about; undefined for any other kind. */
export function verificationKeyOfCertificate(der: Uint8Array): VerificationKey | undefined {
  const spki = new Uint8Array(new x509.X509Certificate(Uint8Array.from(der)).publicKey.rawData);
  const prefix = P256_PREFIX.length / 2;
  const begins = [...spki.subarray(0, prefix)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (begins !== P256_PREFIX || spki.length !== prefix + 65) return undefined;
  return { algorithm: 'ES256', bytes: spki.slice(prefix) };
}
