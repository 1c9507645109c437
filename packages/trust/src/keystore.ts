import { createPrivateKey, X509Certificate } from 'node:crypto';

/** What a key store holds: keys with the certificates of each, and certificates that are trusted by themselves. */
export interface Keystore {
  readonly keys: readonly KeystoreKey[];
  readonly trusted: readonly TrustedEntry[];
}

export interface KeystoreKey {
  /** As the store calls it; empty if it has no name. */
  readonly name: string;
  /** PKCS#8 PEM. A secret. */
  readonly keyPem: string;
  /** DER, the certificate of the key first, then each one's issuer. */
  readonly chain: readonly Uint8Array[];
}

export interface TrustedEntry {
  readonly name: string;
  /** DER. */
  readonly certificate: Uint8Array;
}

export interface KeystorePasswords {
  readonly password: string;
  /** Of the keys in it, where it is another. */
  readonly keyPassword?: string;
}

/** A store with the authorities of the world has some 150 entries in 200 KiB. */
export const KEYSTORE_BYTES_MAXIMUM = 4_194_304;
export const KEYSTORE_ENTRIES_MAXIMUM = 2000;

/** Puts the issuers behind a certificate, as far as they are among the others. */
export function chainFrom(leaf: Uint8Array, others: readonly Uint8Array[]): Uint8Array[] {
  const chain = [leaf];
  const left = others.map((der) => ({ der, certificate: new X509Certificate(der) }));
  for (let last = new X509Certificate(leaf); ; ) {
    const at = left.findIndex(({ certificate }) => last.checkIssued(certificate));
    const [next] = at < 0 ? [] : left.splice(at, 1);
    if (!next) return chain;
    chain.push(next.der);
    last = next.certificate;
  }
}

/** True if the key is that of the certificate. */
export function belongsTo(keyPem: string, der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}
