import { childrenOf, type Element, elementAt } from './der-reader.ts';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const VERSION = 0xa0;
const CONSTRUCTED = 0x20;
const DEPTH_MAXIMUM = 24;

/**
 * True if the bytes are exactly one signed structure (RFC 5280 section 4.1.1): content, algorithm, signature, in definite minimal
 * lengths with nothing left over.
 *
 * The library's parser overlooks small deviations. A signature does not cover the bytes around it, so a stranger could otherwise
 * write one certificate in many ways, each with a fingerprint of its own.
 */
export function isSignedStructure(der: Uint8Array): boolean {
  const whole = elementAt(der, 0, der.length);
  if (whole?.tag !== SEQUENCE || whole.end !== der.length || !isStrict(der, whole, 0)) return false;
  const [content, algorithm, signature, ...rest] = childrenOf(der, whole) ?? [];
  return (
    content?.tag === SEQUENCE &&
    algorithm?.tag === SEQUENCE &&
    signature?.tag === BIT_STRING &&
    der[signature.content] === 0 &&
    rest.length === 0 &&
    (!isEcdsa(der, algorithm) || isEcdsaValue(der, signature))
  );
}

/** True if a certificate names outside its signed content the algorithm that it names inside (RFC 5280 section 4.1.1.2). */
export function namesOneAlgorithm(der: Uint8Array): boolean {
  const whole = elementAt(der, 0, der.length);
  const [content, outer] = (whole && childrenOf(der, whole)) ?? [];
  const fields = (content && childrenOf(der, content)) ?? [];
  const inner = fields[fields[0]?.tag === VERSION ? 2 : 1];
  if (!inner || !outer || inner.end - inner.start !== outer.end - outer.start) return false;
  for (let i = 0; i < outer.end - outer.start; i++) {
    if (der[inner.start + i] !== der[outer.start + i]) return false;
  }
  return true;
}

/** 1.2.840.10045.4, under which the ECDSA algorithms are numbered. */
const ECDSA = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

function isEcdsa(der: Uint8Array, algorithm: Element): boolean {
  const [oid] = childrenOf(der, algorithm) ?? [];
  return oid !== undefined && ECDSA.every((byte, index) => der[oid.content + index] === byte);
}

/** RFC 3279 section 2.2.3: two positive integers in minimal form, inside the bit string. */
function isEcdsaValue(der: Uint8Array, { content, end }: Element): boolean {
  const pair = elementAt(der, content + 1, end);
  if (pair?.tag !== SEQUENCE || pair.end !== end) return false;
  const integers = childrenOf(der, pair) ?? [];
  return integers.length === 2 && integers.every((integer) => isPositiveInteger(der, integer));
}

function isPositiveInteger(der: Uint8Array, { tag, content, end }: Element): boolean {
  const first = der[content] ?? 0x80;
  if (tag !== INTEGER || content === end || first >= 0x80) return false;
  return first !== 0 || (end - content > 1 && (der[content + 1] ?? 0) >= 0x80);
}

function isStrict(der: Uint8Array, element: Element, depth: number): boolean {
  if ((element.tag & CONSTRUCTED) === 0) return true;
  if (depth >= DEPTH_MAXIMUM) return false;
  return childrenOf(der, element)?.every((child) => isStrict(der, child, depth + 1)) ?? false;
}
