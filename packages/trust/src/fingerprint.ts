/**
 * SHA-256 of a certificate's DER in lower-case hexadecimal: the name under which a certificate is pinned.
 *
 * Not the name to revoke by: of an ECDSA signature everybody can make a second valid one (r, n - s), and with it a second
 * fingerprint. Issuer and serial are signed.
 */
export async function fingerprintSha256(der: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(der)));
  return toHex(digest);
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
