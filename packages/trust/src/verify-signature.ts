import { childrenOf, elementAt } from './der-reader.ts';
import { toHex } from './fingerprint.ts';
import { isSmallOrder } from './small-order.ts';

/** What was signed with what, as a certificate, list or answer holds it. */
export interface SignedBytes {
  readonly content: Uint8Array;
  /** AlgorithmIdentifier in DER. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo of the one who is said to have signed, in DER. */
  readonly publicKey: Uint8Array;
}

interface Scheme {
  readonly kind: 'ecdsa' | 'rsa' | 'ed25519';
  readonly hash: string;
}

/** Algorithms by the hexadecimal content of their object identifiers (RFC 5758, RFC 4055, RFC 8410). SHA-1 is not among them. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  '2a8648ce3d040302': { kind: 'ecdsa', hash: 'SHA-256' },
  '2a8648ce3d040303': { kind: 'ecdsa', hash: 'SHA-384' },
  '2a8648ce3d040304': { kind: 'ecdsa', hash: 'SHA-512' },
  '2a864886f70d01010b': { kind: 'rsa', hash: 'SHA-256' },
  '2a864886f70d01010c': { kind: 'rsa', hash: 'SHA-384' },
  '2a864886f70d01010d': { kind: 'rsa', hash: 'SHA-512' },
  '2b6570': { kind: 'ed25519', hash: '' },
};

const SEQUENCE = 0x30;
const INTEGER = 0x02;

const CURVES: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  '2a8648ce3d030107': { name: 'P-256', bytes: 32 },
  '2b81040022': { name: 'P-384', bytes: 48 },
  '2b81040023': { name: 'P-521', bytes: 66 },
};

/** True if the signature is that of the key over the content. Whatever is malformed, weak or of a kind not known here is false. */
export async function verifySignature({ content, algorithm, signature, publicKey }: SignedBytes): Promise<boolean> {
  const scheme = SCHEMES[identifierOf(algorithm) ?? ''];
  if (!scheme) return false;
  try {
    const spki = Uint8Array.from(publicKey);
    const bytes = Uint8Array.from(content);
    if (scheme.kind === 'ecdsa') {
      const curve = CURVES[curveOf(publicKey) ?? ''];
      const raw = curve && rawEcdsa(signature, curve.bytes);
      if (!curve || !raw) return false;
      const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: curve.name }, false, [
        'verify',
      ]);
      return await crypto.subtle.verify({ name: 'ECDSA', hash: scheme.hash }, key, raw, bytes);
    }
    // The key are the last 32 bytes of its SubjectPublicKeyInfo (RFC 8410 section 4).
    if (scheme.kind === 'ed25519' && isSmallOrder(spki.subarray(-32))) return false;
    const name = scheme.kind === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash: scheme.hash } : { name: 'Ed25519' };
    const key = await crypto.subtle.importKey('spki', spki, name, false, ['verify']);
    const { modulusLength } = key.algorithm as { readonly modulusLength?: number };
    if (modulusLength !== undefined && modulusLength < 2048) return false;
    return await crypto.subtle.verify(name.name, key, Uint8Array.from(signature), bytes);
  } catch {
    return false;
  }
}

/** Object identifier at the beginning of a sequence. */
function identifierOf(der: Uint8Array): string | undefined {
  const whole = elementAt(der, 0, der.length);
  const [oid] = (whole && childrenOf(der, whole)) ?? [];
  return oid?.tag === 0x06 ? toHex(der.subarray(oid.content, oid.end)) : undefined;
}

function curveOf(publicKey: Uint8Array): string | undefined {
  const whole = elementAt(publicKey, 0, publicKey.length);
  const [algorithm] = (whole && childrenOf(publicKey, whole)) ?? [];
  const [, curve] = (algorithm && childrenOf(publicKey, algorithm)) ?? [];
  return curve?.tag === 0x06 ? toHex(publicKey.subarray(curve.content, curve.end)) : undefined;
}

/** X.509 holds two integers in DER (RFC 3279 section 2.2.3), positive and minimal; WebCrypto wants r and s side by side. */
function rawEcdsa(signature: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const pair = elementAt(signature, 0, signature.length);
  const [r, s, ...rest] = (pair && childrenOf(signature, pair)) ?? [];
  if (pair?.tag !== SEQUENCE || pair.end !== signature.length || !r || !s || rest.length > 0) return undefined;
  const raw = new Uint8Array(2 * size);
  for (const [index, { tag, content, end }] of [r, s].entries()) {
    const [first = 0x80, second = 0] = signature.subarray(content, end);
    const padded = first === 0 && end - content > 1;
    if (tag !== INTEGER || first >= 0x80 || (padded && second < 0x80)) return undefined;
    const from = padded ? content + 1 : content;
    if (end - from > size) return undefined;
    raw.set(signature.subarray(from, end), (index + 1) * size - (end - from));
  }
  return raw;
}
