import { Failure } from '@sallyport/model';
import { type CertificateFacts, certificateFacts, parseCertificate } from './certificate.ts';
import { BACKDATED, certify, wholeSeconds } from './certify.ts';
import { generateKeyPair, type KeyPair } from './key-pair.ts';
import { pemOf } from './pem.ts';
import { x509 } from './x509-library.ts';

/** A certificate that may certify others, together with its key. */
export interface CertificateAuthority {
  readonly certificate: CertificateFacts;
  readonly keys: KeyPair;
  readonly pem: string;
  /** DER of the authorities between a certificate of this one and the root: itself first, the root never. */
  readonly intermediates: readonly Uint8Array[];
}

export interface AuthorityOptions {
  readonly commonName: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds. */
  readonly validity: number;
}

export interface IntermediateOptions extends AuthorityOptions {
  readonly authority: CertificateAuthority;
  /** How many authorities may follow below it. Default 0: it certifies only clients and servers. */
  readonly pathLength?: number;
}

/** Makes a root: a key of its own and a certificate that it signs itself. */
export async function createRootAuthority(options: AuthorityOptions): Promise<CertificateAuthority> {
  const keys = await generateKeyPair();
  const der = await certify({
    signer: { name: options.commonName, keys },
    subject: options.commonName,
    publicKey: keys.publicKey,
    notBefore: options.now - BACKDATED,
    notAfter: options.now + options.validity,
    extensions: authorityExtensions(undefined),
  });
  return authorityOf(der, keys, []);
}

/**
 * Certifies a root anew, under its name and with its key: what it has signed leads to the new certificate as to the old one, so both are
 * good side by side until the old one ends.
 */
export async function renewRootAuthority(
  { certificate, keys }: Pick<CertificateAuthority, 'certificate' | 'keys'>,
  { now, validity }: Pick<AuthorityOptions, 'now' | 'validity'>,
): Promise<CertificateAuthority> {
  const name = certificate.commonName ?? '';
  const der = await certify({
    signer: { name, keys },
    subject: name,
    publicKey: keys.publicKey,
    notBefore: now - BACKDATED,
    notAfter: now + validity,
    extensions: authorityExtensions(undefined),
  });
  const renewed = await authorityOf(der, keys, []);
  if (renewed.certificate.subjectNameHash === certificate.subjectNameHash) return renewed;
  throw new Failure('key_material_invalid', `"${certificate.subject}" has a name that this program cannot write again`);
}

/** Makes an authority below another. It never outlives the one above it. */
export async function createIntermediateAuthority(options: IntermediateOptions): Promise<CertificateAuthority> {
  const { authority } = options;
  const keys = await generateKeyPair();
  const der = await certify({
    signer: authority,
    subject: options.commonName,
    publicKey: keys.publicKey,
    notBefore: options.now - BACKDATED,
    notAfter: Math.min(wholeSeconds(options.now + options.validity), authority.certificate.notAfter),
    extensions: authorityExtensions(options.pathLength ?? 0),
  });
  return authorityOf(der, keys, authority.intermediates);
}

/**
 * Puts an authority together again from its stored parts.
 *
 * A certificate that is damaged, is no authority, or belongs to another key is a `key_material_invalid` failure.
 */
export async function restoreAuthority(parts: {
  readonly certificate: Uint8Array;
  readonly keys: KeyPair;
  /** DER of the authorities above it, without the root. */
  readonly above?: readonly Uint8Array[];
}): Promise<CertificateAuthority> {
  const authority = await authorityOf(parts.certificate, parts.keys, parts.above ?? []);
  if (!authority.certificate.isAuthority) {
    throw new Failure('key_material_invalid', `the certificate of "${authority.certificate.subject}" is no authority`);
  }
  const own = new Uint8Array(await crypto.subtle.exportKey('spki', parts.keys.publicKey));
  const named = new Uint8Array(new x509.X509Certificate(Uint8Array.from(parts.certificate)).publicKey.rawData);
  if (own.length !== named.length || own.some((byte, index) => byte !== named[index])) {
    throw new Failure('key_material_invalid', `the key does not belong to "${authority.certificate.subject}"`);
  }
  return authority;
}

async function authorityOf(
  der: Uint8Array,
  keys: KeyPair,
  above: readonly Uint8Array[],
): Promise<CertificateAuthority> {
  const parsed = parseCertificate(der);
  if (!parsed) throw new Failure('key_material_invalid', 'the bytes are not an X.509 certificate');
  const certificate = await certificateFacts(parsed, der);
  const isRoot = parsed.subjectName.toString() === parsed.issuerName.toString();
  return { certificate, keys, pem: pemOf('CERTIFICATE', der), intermediates: isRoot ? [] : [der, ...above] };
}

/** RFC 5280 sections 4.2.1.3 and 4.2.1.9: both critical. */
function authorityExtensions(pathLength: number | undefined): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}
