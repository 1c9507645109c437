/** SHA-1 of the bits of a key (RFC 5280 section 4.2.1.2, method 1): a name, no proof. */
export async function sha1(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-1', Uint8Array.from(bytes)));
}
