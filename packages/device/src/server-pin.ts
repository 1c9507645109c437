import { Failure } from '@sallyport/model';

/**
 * The pin of a server, checked beside everything else: SHA-256 of its certificate, or of one above it, in hexadecimal with or without
 * colons. It narrows what is trusted and never widens it.
 *
 * @throws Failure `key_material_invalid` if a pin has another form
 */
export function pinsOf(pins: string | readonly string[]): ReadonlySet<string> {
  return new Set(
    [pins].flat().map((pin) => {
      const plain = pin.replaceAll(':', '').toUpperCase();
      if (/^[0-9A-F]{64}$/.test(plain)) return plain;
      throw new Failure('key_material_invalid', 'A pin of the server is no SHA-256 in hexadecimal.', {
        cure: 'Take it from: openssl x509 -in pki/server.pem -noout -fingerprint -sha256',
      });
    }),
  );
}

/** A certificate as the TLS library shows it, with the one above it. */
interface ShownCertificate {
  readonly fingerprint256?: string;
  readonly issuerCertificate?: ShownCertificate;
}

/** The error of a server whose chain holds no pinned certificate; nothing if one is pinned. */
export function unpinned(pins: ReadonlySet<string>, certificate: ShownCertificate): Error | undefined {
  const seen = new Set<ShownCertificate>();
  for (let each: ShownCertificate | undefined = certificate; each && !seen.has(each); each = each.issuerCertificate) {
    seen.add(each);
    if (pins.has((each.fingerprint256 ?? '').replaceAll(':', ''))) return undefined;
  }
  return Object.assign(new Error('the certificate of the server is not the one that is pinned'), {
    code: 'SALLYPORT_NOT_PINNED',
  });
}
