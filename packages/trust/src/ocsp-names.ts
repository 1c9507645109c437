import { certificateParts } from './certificate-parts.ts';
import { toHex } from './fingerprint.ts';
import { sha1 } from './key-identifier.ts';

/** Object identifiers of RFC 6960, dotted for writing and as the hexadecimal content for reading. */
export const OCSP_BASIC = '1.3.6.1.5.5.7.48.1.1';
export const OCSP_BASIC_HEX = '2b0601050507300101';
export const OCSP_NONCE = '1.3.6.1.5.5.7.48.1.2';
export const OCSP_NONCE_HEX = '2b0601050507300102';
export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
export const SHA1 = '1.3.14.3.2.26';
export const SHA1_HEX = '2b0e03021a';
export const SHA256_HEX = '608648016503040201';

/** RFC 9654 section 2.1: a nonce of 1 to 128 bytes. */
export const NONCE_MAXIMUM = 128;

/** How a certificate's issuer is named in requests (RFC 6960 section 4.1.1), by each hash that is in use; lower-case hexadecimal. */
export interface OcspIssuerNames {
  readonly sha1: { readonly name: string; readonly key: string };
  readonly sha256: { readonly name: string; readonly key: string };
}

/** The names under which an authority is asked for. `issuer` is its certificate in DER. */
export async function ocspIssuerNames(issuer: Uint8Array): Promise<OcspIssuerNames> {
  const parts = certificateParts(issuer);
  if (!parts) throw new TypeError('the bytes are no certificate');
  const sha256 = async (bytes: Uint8Array) =>
    toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes))));
  return {
    sha1: { name: toHex(await sha1(parts.subjectName)), key: toHex(await sha1(parts.keyBits)) },
    sha256: { name: await sha256(parts.subjectName), key: await sha256(parts.keyBits) },
  };
}
