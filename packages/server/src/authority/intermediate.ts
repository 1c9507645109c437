import { randomBytes } from 'node:crypto';
import { type CertificateAuthority, createIntermediateAuthority } from '@sallyport/trust';

const YEAR = 365 * 24 * 60 * 60_000;

/** Makes an authority below the root that certifies for ten years, never longer than the root. `name` stands in its common name. */
export function makeIntermediate({
  root,
  name,
  now,
}: {
  readonly root: CertificateAuthority;
  readonly name: string;
  readonly now: number;
}): Promise<CertificateAuthority> {
  return createIntermediateAuthority({
    authority: root,
    // Two authorities of one name could not be told apart by those whom a certificate names as its issuer.
    commonName: `Sallyport ${name} ${randomBytes(4).toString('hex')}`,
    now,
    validity: 10 * YEAR,
  });
}
