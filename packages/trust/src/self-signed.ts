import { BACKDATED, certify } from './certify.ts';
import type { KeyPair } from './key-pair.ts';
import { pemOf } from './pem.ts';
import { x509 } from './x509-library.ts';

/** A certificate that a device signs itself: worth what a pin makes of it, and nothing where it is not pinned. PEM. */
export async function selfSignedClientCertificate({
  keys,
  commonName,
  now,
  validity,
}: {
  readonly keys: KeyPair;
  readonly commonName: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds. */
  readonly validity: number;
}): Promise<string> {
  const der = await certify({
    signer: { name: commonName, keys },
    subject: commonName,
    publicKey: keys.publicKey,
    notBefore: now - BACKDATED,
    notAfter: now + validity,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ],
  });
  return pemOf('CERTIFICATE', der);
}
