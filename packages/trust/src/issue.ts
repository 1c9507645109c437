import type { CertificateAuthority } from './certificate-authority.ts';
import { BACKDATED, certify, wholeSeconds } from './certify.ts';
import type { PublicKey } from './key-pair.ts';
import { pemOf } from './pem.ts';
import { type PublishedAt, pointerExtensions } from './revocation-pointers.ts';
import { x509 } from './x509-library.ts';

const DAY = 24 * 60 * 60_000;

export interface IssuedCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  /** PEM of the certificate and the authorities above it, without the root: what a TLS peer presents. */
  readonly chainPem: string;
}

interface LeafOptions {
  readonly authority: CertificateAuthority;
  readonly publicKey: PublicKey;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where news of its revocation will be published; left out, the certificate says nothing of it. */
  readonly publishedAt?: PublishedAt | undefined;
}

export interface ServerCertificateOptions extends LeafOptions {
  /** At least one name or address. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Default: the first name. Clients look only at the alternative names (RFC 9525). */
  readonly commonName?: string;
  /** Milliseconds. Default 397 days, the most that strict clients accept. */
  readonly validity?: number;
}

export interface ClientCertificateOptions extends LeafOptions {
  /** For example `d:pump:pump-7`. */
  readonly commonName: string;
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
  /** Milliseconds. Default 90 days. */
  readonly validity?: number;
}

/** A certificate with which a server proves its names. It never outlives its authority. */
export async function issueServerCertificate(options: ServerCertificateOptions): Promise<IssuedCertificate> {
  const { dnsNames, ipAddresses = [] } = options;
  return issue(
    options,
    options.commonName ?? dnsNames[0] ?? ipAddresses[0] ?? '',
    options.validity ?? 397 * DAY,
    x509.ExtendedKeyUsage.serverAuth,
    [
      ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
    ],
  );
}

/** A certificate with which a device, gateway or application proves who it is. It never outlives its authority. */
export async function issueClientCertificate(options: ClientCertificateOptions): Promise<IssuedCertificate> {
  const { emails = [], uris = [] } = options;
  return issue(options, options.commonName, options.validity ?? 90 * DAY, x509.ExtendedKeyUsage.clientAuth, [
    ...emails.map((value) => ({ type: 'email' as const, value })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
  ]);
}

async function issue(
  { authority, publicKey, now, publishedAt }: LeafOptions,
  commonName: string,
  validity: number,
  purpose: x509.ExtendedKeyUsage,
  names: x509.JsonGeneralNames,
): Promise<IssuedCertificate> {
  const der = await certify({
    signer: authority,
    subject: commonName,
    publicKey,
    notBefore: now - BACKDATED,
    notAfter: Math.min(wholeSeconds(now + validity), authority.certificate.notAfter),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ...(publishedAt ? pointerExtensions(publishedAt) : []),
    ],
  });
  const pem = pemOf('CERTIFICATE', der);
  const above = authority.intermediates.map((intermediate) => pemOf('CERTIFICATE', intermediate));
  return { der, pem, chainPem: [pem, ...above].join('') };
}
